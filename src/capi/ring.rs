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

use super::{Uncancelled, clear_error, error_text, guard, set_error};
use crate::dialect::Dialect;
use crate::error::Error;
use crate::ring::{Ring, Server};
use std::ffi::{CStr, OsStr, c_char, c_int};
use std::fmt::Display;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// What functions that find a server return for none: `SIZE_MAX`.
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
    /// A server's weight is 0, which its dialect or rules do not take.
    KETAMA_ZERO_WEIGHT = 6,
    /// The sum of all weights is 2^64 or more.
    KETAMA_WEIGHT_SUM = 7,
    /// The ring would have more than `INT_MAX` points: about 13 million servers of 160 each, say.
    KETAMA_TOO_MANY_POINTS = 8,
    /// What grows with the servers does not fit in memory. One of the few small allocations that a
    /// call makes besides ends the program where it fails.
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
    /// A definition file cannot be read, or changes all the while.
    KETAMA_UNREADABLE = 15,
    /// A definition file has something else than what is expected; the text says where.
    KETAMA_SYNTAX = 16,
    /// The offsets of packed keys descend.
    KETAMA_OFFSETS = 17,
    /// A number is out of its range, or, in ketama.hpp, a text has a NUL.
    KETAMA_OUT_OF_RANGE = 18,
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
            Error::Offsets { .. } => ketama_status::KETAMA_OFFSETS,
            Error::Unreadable(_) | Error::Changing => ketama_status::KETAMA_UNREADABLE,
            Error::Syntax { .. } => ketama_status::KETAMA_SYNTAX,
        }
    }
}

/// Whose rules make the ring. Clients that say "ketama" do not agree with each other; each name
/// here stands for those that do. Where it says so, weights are ignored, whatever they are.
#[repr(C)]
pub enum ketama_dialect {
    /// libketama and its bindings, PyPI ketama, go-ketama's HashFunc2.
    KETAMA_LIBKETAMA = 0,
    /// Python hash_ring with weights, PyPI hashring. A server of weight 0 gets no points.
    KETAMA_HASH_RING = 1,
    /// DataDog's Python hash_ring without weights. Ignores weights.
    KETAMA_HASH_RING_UNWEIGHTED = 2,
    /// libmemcached's KETAMA_WEIGHTED, php-memcached's OPT_LIBKETAMA_COMPATIBLE, pylibmc's
    /// ketama_weighted, spymemcached's LIBMEMCACHED with weights, nutcracker with `hash: md5`. A
    /// weight of 0 counts 1.
    KETAMA_LIBMEMCACHED_WEIGHTED = 3,
    /// libmemcached's KETAMA or CONSISTENT by default, php-memcached's CONSISTENT, pylibmc's
    /// ketama. Ignores weights.
    KETAMA_LIBMEMCACHED = 4,
    /// The same with its hash set to MD5. Ignores weights.
    KETAMA_LIBMEMCACHED_MD5 = 5,
    /// twemproxy's (nutcracker's) `distribution: ketama` with its default hash.
    KETAMA_TWEMPROXY = 6,
    /// spymemcached's default locator, memcached's proxy with `ketama`; with IP addresses also
    /// xmemcached's gwhalin. Ignores weights. A name is the text of the Java address: `ip:port`, or
    /// `host/ip:port` where it was resolved.
    KETAMA_SPYMEMCACHED = 7,
    /// Ruby's dalli.
    KETAMA_DALLI = 8,
    /// nginx's `hash ... consistent`, Perl's Cache::Memcached::Fast with 160 points,
    /// pingora-ketama. The points grow with the weight itself: 160 for each unit of it. A socket is
    /// given as its path alone, without `unix:`.
    KETAMA_NGINX = 9,
    /// npm hashring. A weight of 0 counts 1.
    KETAMA_NPM_HASHRING = 10,
    /// npm memcached. A weight of 0 counts 1.
    KETAMA_NPM_MEMCACHED = 11,
}

/// What C passes for a [`ketama_dialect`]: any int. The header writes the enum's name for it.
pub type DialectArgument = c_int;

/// A server: a name of 1 to 1023 bytes, ended by a NUL and usually `host:port`, of which the
/// dialect decides what is hashed; and a weight, 0 only where the dialect takes it. Only its share
/// of the sum of all weights matters, but for nginx and `KETAMA_COUNT_TIMES_WEIGHT`.
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
    names: Box<[u8]>,
    /// Where in these each begins.
    starts: Box<[usize]>,
}

impl TryFrom<Ring> for ketama_ring {
    type Error = Error;

    fn try_from(ring: Ring) -> Result<ketama_ring, Error> {
        let (mut names, mut starts) = (Vec::new(), Vec::new());
        let lens = ring.servers().iter().map(|server| server.name.len() + 1);
        names.try_reserve_exact(lens.sum())?;
        starts.try_reserve_exact(ring.servers().len())?;
        for server in ring.servers() {
            starts.push(names.len());
            names.extend_from_slice(&server.name);
            names.push(0);
        }
        Ok(ketama_ring {
            ring,
            names: names.into(),
            starts: starts.into(),
        })
    }
}

impl AsRef<Ring> for ketama_ring {
    fn as_ref(&self) -> &Ring {
        &self.ring
    }
}

impl ketama_ring {
    /// The server that C named by its index.
    pub(super) fn server(&self, index: usize) -> Option<&Server> {
        let server = self.ring.servers().get(index);
        if server.is_none() {
            set_error(format_args!(
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
pub(super) unsafe fn ring_or_error<'a>(ring: *const ketama_ring) -> Option<&'a ketama_ring> {
    // SAFETY: NULL or live, by the caller's promise.
    let ring = unsafe { ring.as_ref() };
    if ring.is_none() {
        set_error("the ring is NULL");
    }
    ring
}

/// How a call failed, before it is told C. This thread's error text says why already.
pub(super) struct Failure(ketama_status);

impl Failure {
    fn new(status: ketama_status, text: impl Display) -> Failure {
        set_error(text);
        Failure(status)
    }

    pub(super) fn null(what: impl Display) -> Failure {
        let text = format_args!("{what} is NULL");
        Failure::new(ketama_status::KETAMA_NULL_ARGUMENT, text)
    }

    pub(super) fn too_many(n: usize) -> Failure {
        let text = format_args!("{n} keys are more than memory can hold");
        Failure::new(ketama_status::KETAMA_OUT_OF_RANGE, text)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::new(error.into(), error)
    }
}

/// Refuses a NULL argument of this name.
pub(super) fn not_null<T>(pointer: *const T, argument: &str) -> Result<(), Failure> {
    if pointer.is_null() {
        Err(Failure::null(argument))
    } else {
        Ok(())
    }
}

/// Runs the body of a function that returns a status.
pub(super) fn status(body: impl FnOnce() -> Result<(), Failure>) -> ketama_status {
    guard(ketama_status::KETAMA_INTERNAL_ERROR, || match body() {
        Ok(()) => {
            clear_error();
            ketama_status::KETAMA_OK
        }
        Err(Failure(status)) => status,
    })
}

/// Runs the body of a function that makes a ring, and hands that out.
///
/// # Safety
///
/// `out` is NULL or writable.
pub(super) unsafe fn hand_out(
    out: *mut *mut ketama_ring,
    body: impl FnOnce() -> Result<Ring, Failure>,
) -> ketama_status {
    status(|| {
        not_null(out, "out")?;
        let ring = Arc::new(ketama_ring::try_from(body()?)?);
        // SAFETY: not NULL, and writable by the caller's promise.
        unsafe { *out = Arc::into_raw(ring).cast_mut() };
        Ok(())
    })
}

/// The dialect that C named by its number.
pub(super) fn dialect(number: DialectArgument) -> Result<Dialect, Failure> {
    let found = usize::try_from(number)
        .ok()
        .and_then(|number| Dialect::ALL.get(number));
    found.copied().ok_or(Error::UnknownDialect.into())
}

/// The list of servers that C passed.
///
/// # Safety
///
/// `servers` is NULL or points to `count` servers, each with a name that is NULL or ended by a NUL,
/// which do not change during `'a`.
pub(super) unsafe fn list<'a>(
    servers: *const ketama_server,
    count: usize,
) -> Result<Vec<Server<&'a [u8]>>, Failure> {
    if count > 0 {
        not_null(servers, "servers")?;
    }
    let mut list = Vec::new();
    list.try_reserve_exact(count).map_err(Error::from)?;
    for index in 0..count {
        // SAFETY: `servers` points to `count` servers.
        let server = unsafe { &*servers.add(index) };
        // SAFETY: NULL or a string ended by a NUL, by the caller's promise.
        let name = unsafe { name(server.name) };
        let name = name.ok_or_else(|| Failure::null(format_args!("server {index}: the name")))?;
        list.push(Server {
            name,
            weight: server.weight,
        });
    }
    Ok(list)
}

/// A server's name that C passed, with no more read of it than tells that it is too long; `None`
/// for NULL.
///
/// # Safety
///
/// `name` is NULL or ended by a NUL, and does not change during `'a`.
unsafe fn name<'a>(name: *const c_char) -> Option<&'a [u8]> {
    if name.is_null() {
        return None;
    }
    // SAFETY: not NULL, and readable as far as its NUL or this many bytes.
    unsafe {
        let len = libc::strnlen(name, Server::MAX_NAME + 1);
        Some(std::slice::from_raw_parts(name.cast(), len))
    }
}

/// A file's path that C passed.
///
/// # Safety
///
/// `path` is NULL or ended by a NUL, and does not change during `'a`.
pub(super) unsafe fn path<'a>(path: *const c_char) -> Result<&'a Path, Failure> {
    not_null(path, "path")?;
    // SAFETY: not NULL, and ended by a NUL by the caller's promise.
    let path = unsafe { CStr::from_ptr(path) };
    Ok(Path::new(OsStr::from_bytes(path.to_bytes())))
}

/// A failure with a file. Its path comes last, where a long one does not cut the reason off.
pub(super) fn in_file(path: &Path, error: Error) -> Failure {
    Failure::new(
        error.into(),
        format_args!("{error} (in {})", path.display()),
    )
}

/// Returns the name of a dialect, such as "libmemcached_weighted"; NULL where the number is none.
/// It lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn ketama_dialect_name(dialect: DialectArgument) -> *const c_char {
    guard(std::ptr::null(), || match self::dialect(dialect) {
        Ok(dialect) => dialect.c_name().as_ptr(),
        Err(Failure(_)) => std::ptr::null(),
    })
}

/// Finds a dialect by its name.
///
/// `name`: a string ended by a NUL, as ketama_dialect_name() returns it.
/// `out`: receives the dialect; not written on failure.
///
/// Returns `KETAMA_OK`, `KETAMA_UNKNOWN_DIALECT`, or `KETAMA_NULL_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_dialect_from_name(
    name: *const c_char,
    out: *mut DialectArgument,
) -> ketama_status {
    status(|| {
        not_null(name, "name")?;
        not_null(out, "out")?;
        // SAFETY: not NULL, and ended by a NUL by the caller's promise.
        let name = unsafe { CStr::from_ptr(name) };
        let dialect: Dialect = name.to_str().map_err(|_| Error::UnknownDialect)?.parse()?;
        // SAFETY: not NULL, and writable by the caller's promise.
        unsafe { *out = dialect as DialectArgument };
        Ok(())
    })
}

/// Makes the ring of a list of servers.
///
/// `servers`: `count` servers. In most dialects their order decides which owns a point that two
/// share. A server listed twice counts as two; one with a tiny share of the weights may get no
/// point.
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
    // SAFETY: NULL or as the header says, by the caller's promise; the same for `list`.
    unsafe {
        hand_out(out, || {
            let dialect = self::dialect(dialect)?;
            Ok(Ring::with_dialect(&list(servers, count)?, dialect)?)
        })
    }
}

/// Makes the ring of a server definition file, which is read strictly: a line a server, its name of
/// 1 to 1023 bytes and its weight in decimal, with any white space around them. A `#` at the
/// beginning of a word makes the rest of the line a comment: on a line of its own, or behind the
/// weight. CRLF, a missing last newline and a UTF-8 byte order mark are taken. `ketama_roll()`
/// reads the same files with the quirks of the original.
///
/// What is read is the file as it was at one moment, though it changes meanwhile. But one that is
/// being written may look like a whole one: replace it with rename().
///
/// `path`: a string ended by a NUL.
/// `dialect`: whose rules to follow.
/// `out`: receives the ring, of which the caller is the owner; not written on failure.
///
/// Returns `KETAMA_OK`, `KETAMA_UNREADABLE`, `KETAMA_SYNTAX` with a text that names the line, the
/// column in bytes and what was expected there, or a code of `ketama_ring_new()`. Any thread may
/// call it at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_from_file(
    path: *const c_char,
    dialect: DialectArgument,
    out: *mut *mut ketama_ring,
) -> ketama_status {
    let _uncancelled = Uncancelled::begin();
    // SAFETY: NULL or as the header says, by the caller's promise; the same for `path`.
    unsafe {
        hand_out(out, || {
            let dialect = self::dialect(dialect)?;
            let path = self::path(path)?;
            Ring::from_file(path, dialect).map_err(|error| in_file(path, error))
        })
    }
}

/// Makes the ring of another one's servers and one more at the end of the list, by the same rules.
///
/// `ring`: stays as it is.
/// `server`: the server to add.
/// `out`: receives the new ring, of which the caller is the owner; not written on failure.
///
/// Returns `KETAMA_OK` or a code of `ketama_ring_new()`. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_with_server(
    ring: *const ketama_ring,
    server: *const ketama_server,
    out: *mut *mut ketama_ring,
) -> ketama_status {
    // SAFETY: NULL or as the header says, by the caller's promise; the same for the other pointers.
    unsafe {
        hand_out(out, || {
            let ring = ring.as_ref().ok_or_else(|| Failure::null("ring"))?;
            not_null(server, "server")?;
            let server = list(server, 1)?[0];
            Ok(ring.ring.with_server(server)?)
        })
    }
}

/// Makes the ring of another one's servers less those of one name, by the same rules.
///
/// `ring`: stays as it is.
/// `name`: a string ended by a NUL. Every server of this name is left out.
/// `out`: receives the new ring, of which the caller is the owner; not written on failure.
///
/// Returns `KETAMA_OK`, `KETAMA_UNKNOWN_SERVER`, `KETAMA_NO_SERVERS` where none would be left, or
/// another code of `ketama_ring_new()`. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_without_server(
    ring: *const ketama_ring,
    name: *const c_char,
    out: *mut *mut ketama_ring,
) -> ketama_status {
    // SAFETY: NULL or as the header says, by the caller's promise; the same for the other pointers.
    unsafe {
        hand_out(out, || {
            let ring = ring.as_ref().ok_or_else(|| Failure::null("ring"))?;
            let name = self::name(name).ok_or_else(|| Failure::null("name"))?;
            Ok(ring.ring.without_server(name)?)
        })
    }
}

/// Returns the number of servers that the ring was made from; 0 for a NULL ring.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_server_count(ring: *const ketama_ring) -> usize {
    guard(0, || {
        // SAFETY: NULL or live, by the caller's promise.
        unsafe { ring_or_error(ring) }.map_or(0, |ring| ring.ring.servers().len())
    })
}

/// Returns the name of a server, `server` counted from 0; NULL for a NULL ring or when out of
/// range. It belongs to the ring and lives as long.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_server_name(
    ring: *const ketama_ring,
    server: usize,
) -> *const c_char {
    guard(std::ptr::null(), || {
        // SAFETY: NULL or live, by the caller's promise.
        unsafe { ring_or_error(ring) }
            .filter(|ring| ring.server(server).is_some())
            .map_or(std::ptr::null(), |ring| {
                ring.names[ring.starts[server]..].as_ptr().cast()
            })
    })
}

/// Returns the weight of a server, `server` counted from 0; 0 for a NULL ring or when out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_server_weight(ring: *const ketama_ring, server: usize) -> u64 {
    guard(0, || {
        // SAFETY: NULL or live, by the caller's promise.
        unsafe { ring_or_error(ring) }
            .and_then(|ring| ring.server(server))
            .map_or(0, |server| server.weight)
    })
}

/// Lists the points of a ring in ring order: ascending, equal ones in the order that the dialect
/// gives them.
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
