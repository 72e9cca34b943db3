//! A ring from a list of servers
//!
//! Conventions. A `ketama_ring` is immutable and has a count of owners: `ketama_ring_new()` and
//! `ketama_ring_retain()` each make one owner, `ketama_ring_free()` ends one, and the last frees
//! the ring. Any number of threads may use one ring at once, without a lock, and may retain and
//! free it; also a child after fork(). Nothing that is passed in is kept: lists, names and keys may
//! be freed on return. Outputs are written only on success.
//!
//! A call that fails says why in `ketama_last_error()`. Calls that return a `ketama_status`, and
//! `ketama_roll()`, clear that text when they succeed; the others leave it as it is. NULL, or a
//! number out of range, never crashes: each function says what it returns then. Any other pointer
//! must be what its description says.

use super::{bytes, clear_error, error_text, guard, set_error};
use crate::error::{Error, try_collect};
use crate::ring::{Ring, Server};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;

/// What `ketama_ring_find()` returns for no server: `SIZE_MAX`.
pub const KETAMA_NONE: usize = usize::MAX;

/// How a call ended: `KETAMA_OK`, or the kind of failure.
#[repr(C)]
pub enum ketama_status {
    /// Done.
    KETAMA_OK = 0,
    /// An argument, or a server's name, is NULL.
    KETAMA_NULL_ARGUMENT = 1,
    /// The dialect is none of `ketama_dialect`.
    KETAMA_UNKNOWN_DIALECT = 2,
    /// The list of servers is empty.
    KETAMA_NO_SERVERS = 3,
    /// A server's name has 0 bytes.
    KETAMA_EMPTY_NAME = 4,
    /// A server's name has more than 1023 bytes.
    KETAMA_LONG_NAME = 5,
    /// A server's weight is 0.
    KETAMA_ZERO_WEIGHT = 6,
    /// The sum of all weights is 2^64 or more.
    KETAMA_WEIGHT_SUM = 7,
    /// The ring would have more than `INT_MAX` points, as from about 13 million servers on.
    KETAMA_TOO_MANY_POINTS = 8,
    /// There is not enough memory for the ring.
    KETAMA_OUT_OF_MEMORY = 9,
    /// A defect of this library, reported instead of ending the program.
    KETAMA_INTERNAL_ERROR = 10,
    /// By these rules no server gets a point.
    KETAMA_NO_POINTS = 11,
    /// A field of `ketama_rules` is out of its range.
    KETAMA_INVALID_RULES = 12,
    /// The ring has no server of this name.
    KETAMA_UNKNOWN_SERVER = 13,
    /// Two rings that are compared place keys by different hashes.
    KETAMA_DIFFERENT_HASHES = 14,
}

impl From<Error> for ketama_status {
    fn from(error: Error) -> ketama_status {
        match error {
            Error::NoServers => ketama_status::KETAMA_NO_SERVERS,
            Error::EmptyName { .. } => ketama_status::KETAMA_EMPTY_NAME,
            Error::LongName { .. } => ketama_status::KETAMA_LONG_NAME,
            Error::ZeroWeight { .. } => ketama_status::KETAMA_ZERO_WEIGHT,
            Error::WeightSum { .. } => ketama_status::KETAMA_WEIGHT_SUM,
            Error::TooManyPoints { .. } => ketama_status::KETAMA_TOO_MANY_POINTS,
            Error::OutOfMemory => ketama_status::KETAMA_OUT_OF_MEMORY,
            Error::NoPoints => ketama_status::KETAMA_NO_POINTS,
            Error::InvalidRules(_) => ketama_status::KETAMA_INVALID_RULES,
            Error::UnknownDialect => ketama_status::KETAMA_UNKNOWN_DIALECT,
            Error::UnknownServer => ketama_status::KETAMA_UNKNOWN_SERVER,
            Error::DifferentHashes => ketama_status::KETAMA_DIFFERENT_HASHES,
        }
    }
}

/// Whose rules make the ring. Clients that say "ketama" do not all agree.
#[repr(C)]
pub enum ketama_dialect {
    /// Last.fm's libketama: every server gets 4 points for each MD5 of `name-0`, `name-1`, ...,
    /// about 160 for an average weight.
    KETAMA_LIBKETAMA = 0,
}

/// What C passes for a [`ketama_dialect`]: any int. The header writes the enum's name for it.
type DialectArgument = c_int;

/// A server: a name of 1 to 1023 bytes, ended by a NUL and hashed whole (usually `host:port`), and
/// a weight of 1 to 2^64 - 1. Only the weight's share of the sum of all weights matters.
#[repr(C)]
pub struct ketama_server {
    pub name: *const c_char,
    pub weight: u64,
}

/// A point of a ring: its position on the circle, and the index of the server that it belongs to.
#[repr(C)]
pub struct ketama_point {
    pub point: u32,
    pub server: u32,
}

/// A ring. Opaque; made by `ketama_ring_new()`.
pub struct ketama_ring {
    pub(super) ring: Ring,
    /// The servers' names, each with a NUL behind it.
    names: Box<[Box<[u8]>]>,
}

impl ketama_ring {
    pub(super) fn new<N: AsRef<[u8]>>(servers: &[Server<N>]) -> Result<ketama_ring, Error> {
        let ring = Ring::new(servers)?;
        let with_nul = |server: &Server<N>| [server.name.as_ref(), b"\0"].concat().into();
        let names = try_collect(servers.iter().map(with_nul))?;
        Ok(ketama_ring { ring, names })
    }

    /// The server that C named by its index.
    fn server(&self, index: usize) -> Option<&Server> {
        let server = self.ring.servers().get(index);
        if server.is_none() {
            set_error(format!(
                "there is no server {index}: the ring has {}",
                self.ring.servers().len()
            ));
        }
        server
    }
}

/// A ring that C passed, or an error text.
///
/// # Safety
///
/// `ring` is NULL or a live ring of this library.
unsafe fn ring_or_error<'a>(ring: *const ketama_ring) -> Option<&'a ketama_ring> {
    // SAFETY: NULL or live, by the caller's promise.
    let ring = unsafe { ring.as_ref() };
    if ring.is_none() {
        set_error("the ring is NULL");
    }
    ring
}

/// Makes the ring of a list of servers.
///
/// `servers`: `count` servers. Their order decides which owns a point that two share: the one
/// listed first. A server listed twice counts as two; one with a tiny share of the weights may get
/// no point.
/// `dialect`: whose rules to follow.
/// `out`: receives the ring, of which the caller is the owner; not written on failure.
///
/// Returns `KETAMA_OK`, or a code that says what is wrong; `ketama_last_error()` then names the
/// index of the server at fault, if one is. Takes time and memory in proportion to the points; any
/// thread may call it at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_new(
    servers: *const ketama_server,
    count: usize,
    dialect: DialectArgument,
    out: *mut *mut ketama_ring,
) -> ketama_status {
    let fail = |status, text: String| {
        set_error(text);
        status
    };
    guard(ketama_status::KETAMA_INTERNAL_ERROR, || {
        if out.is_null() {
            return fail(ketama_status::KETAMA_NULL_ARGUMENT, "out is NULL".into());
        }
        if dialect != ketama_dialect::KETAMA_LIBKETAMA as c_int {
            return fail(
                ketama_status::KETAMA_UNKNOWN_DIALECT,
                format!("there is no dialect {dialect}"),
            );
        }
        if servers.is_null() && count > 0 {
            return fail(
                ketama_status::KETAMA_NULL_ARGUMENT,
                "servers is NULL".into(),
            );
        }
        let mut list = Vec::new();
        if list.try_reserve_exact(count).is_err() {
            let error = Error::OutOfMemory;
            return fail(error.into(), error.to_string());
        }
        for index in 0..count {
            // SAFETY: `servers` points to `count` servers.
            let server = unsafe { &*servers.add(index) };
            if server.name.is_null() {
                return fail(
                    ketama_status::KETAMA_NULL_ARGUMENT,
                    format!("server {index}: the name is NULL"),
                );
            }
            // SAFETY: a string ended by a NUL, of which no more is read than tells that it is too
            // long.
            let name = unsafe {
                let len = libc::strnlen(server.name, Server::MAX_NAME + 1);
                std::slice::from_raw_parts(server.name.cast::<u8>(), len)
            };
            list.push(Server {
                name,
                weight: server.weight,
            });
        }
        match ketama_ring::new(&list) {
            Ok(ring) => {
                // SAFETY: not NULL, and writable by the caller's promise.
                unsafe { *out = Arc::into_raw(Arc::new(ring)).cast_mut() };
                clear_error();
                ketama_status::KETAMA_OK
            }
            Err(error) => fail(error.into(), error.to_string()),
        }
    })
}

/// Finds the server of a key.
///
/// `key`: `key_len` bytes of any value, NUL included. It may be NULL when `key_len` is 0.
///
/// Returns the server's index in the list that the ring was made from, or `KETAMA_NONE` for a NULL
/// ring, or a NULL key with a length. Never locks or allocates; any thread may call it at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_find(
    ring: *const ketama_ring,
    key: *const c_void,
    key_len: usize,
) -> usize {
    guard(KETAMA_NONE, || {
        // SAFETY: NULL or live, by the caller's promise.
        let Some(ring) = (unsafe { ring_or_error(ring) }) else {
            return KETAMA_NONE;
        };
        // SAFETY: NULL or readable, by the caller's promise.
        let Some(key) = (unsafe { bytes(key, key_len) }) else {
            set_error("the key is NULL, or longer than memory");
            return KETAMA_NONE;
        };
        ring.ring.find(key)
    })
}

/// Returns the number of servers that the ring was made from; 0 for a NULL ring.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_server_count(ring: *const ketama_ring) -> usize {
    guard(0, || {
        // SAFETY: NULL or live, by the caller's promise.
        unsafe { ring_or_error(ring) }.map_or(0, |ring| ring.ring.servers().len())
    })
}

/// Returns the name of server `server`, counted from 0; NULL for a NULL ring or when out of range.
/// It belongs to the ring and lives as long.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_server_name(
    ring: *const ketama_ring,
    server: usize,
) -> *const c_char {
    guard(std::ptr::null(), || {
        // SAFETY: NULL or live, by the caller's promise.
        unsafe { ring_or_error(ring) }
            .filter(|ring| ring.server(server).is_some())
            .map_or(std::ptr::null(), |ring| ring.names[server].as_ptr().cast())
    })
}

/// Returns the weight of server `server`, counted from 0; 0 for a NULL ring or when out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_server_weight(ring: *const ketama_ring, server: usize) -> u64 {
    guard(0, || {
        // SAFETY: NULL or live, by the caller's promise.
        unsafe { ring_or_error(ring) }
            .and_then(|ring| ring.server(server))
            .map_or(0, |server| server.weight)
    })
}

/// Lists the points of a ring in ring order: ascending, and of equal ones the server listed first
/// comes first.
///
/// `out`: room for `capacity` points, of which as many are written as fit. It may be NULL, to ask
/// for the number alone.
///
/// Returns the number of points that the ring has, whatever `capacity` is; 0 for a NULL ring.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_points(
    ring: *const ketama_ring,
    out: *mut ketama_point,
    capacity: usize,
) -> usize {
    guard(0, || {
        // SAFETY: NULL or live, by the caller's promise.
        let Some(ring) = (unsafe { ring_or_error(ring) }) else {
            return 0;
        };
        let points = ring.ring.points();
        let count = points.len();
        if !out.is_null() {
            for (index, point) in points.take(capacity).enumerate() {
                // SAFETY: `index` is below `capacity`, for which the caller promised room.
                unsafe {
                    out.add(index).write(ketama_point {
                        point: point.point,
                        server: point.server,
                    });
                }
            }
        }
        count
    })
}

/// Adds an owner: the ring then lives until `ketama_ring_free()` was called once more.
///
/// Returns the ring itself; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_retain(ring: *const ketama_ring) -> *mut ketama_ring {
    guard(std::ptr::null_mut(), || {
        if !ring.is_null() {
            // SAFETY: live, by the caller's promise, and every ring that C gets is in an Arc.
            unsafe { Arc::increment_strong_count(ring) };
        }
        ring.cast_mut()
    })
}

/// Ends one owner, and frees the ring with its last. NULL is allowed and does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_free(ring: *mut ketama_ring) {
    guard((), || {
        if !ring.is_null() {
            // SAFETY: the caller is one of the owners of the Arc, by its promise.
            unsafe { Arc::decrement_strong_count(ring) };
        }
    });
}

/// Returns the text of this thread's last failure; "" if there was none, or where a call that
/// returns a `ketama_status` or `ketama_roll()` has succeeded since. Never NULL; at most 254 bytes,
/// a longer text being cut.
///
/// It belongs to the library and may be read until this thread's next call of a function declared
/// here.
#[unsafe(no_mangle)]
pub extern "C" fn ketama_last_error() -> *const c_char {
    error_text()
}

/// Returns the library's version, such as "1.0.0". It lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn ketama_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => panic!("a version has no NUL"),
        };
    VERSION.as_ptr()
}
