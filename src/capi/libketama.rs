//! libketama's own interface
//!
//! The functions and structures of Last.fm's `libketama.so.1`, with the same layout, points and
//! results, so that programs built against it run on this library unchanged. The README lists what
//! differs from the original.
//!
//! It reads server definition files: a line a server, its name (1 to 23 bytes, usually
//! `host:port`), tabs or spaces, its weight, and at once a newline; lines that begin with `#` are
//! comments. As in the original the byte behind the weight is dropped whatever it is, so that `100`
//! at the end of a file without a newline, or before a space, is 10; and a line of more than 126
//! bytes, a comment too, is read as several.
//!
//! Threads. Every function may be called from any thread at any time, on one continuum as well;
//! only `ketama_smoke()` needs the others to be done with that continuum. Rolls and smokes in other
//! threads never disturb a continuum that was handed out, and lookups never wait for them. After
//! fork() the child may go on with all of it. No function is for signal handlers.
//!
//! Errors. A call that fails says why in `ketama_error()`. NULL never crashes.

use super::ring::ketama_ring;
use super::rolled::{self, Failure, Rolled, Slot};
use super::{Uncancelled, clear_error, error_text, guard, set_error, set_error_with};
use crate::hash;
use crate::hash::simd::Simd;
use std::ffi::{CStr, c_char, c_int, c_uchar, c_uint, c_ulong, c_void};
use std::io::Write;
use std::mem::{offset_of, size_of};
use std::ptr;
use std::sync::Arc;

/// A point of a continuum: its position on the circle, and the first 22 bytes of the name of its
/// server. Where all 22 are taken, the NUL that ends them stands in the padding behind `ip`: a copy
/// of the text needs 23 bytes.
#[repr(C)]
pub struct mcs {
    pub point: c_uint,
    pub ip: [c_char; 22],
}

const _: () = assert!(size_of::<mcs>() == size_of::<Slot>());
const _: () = assert!(offset_of!(mcs, ip) == offset_of!(Slot, ip));

/// A server definition: name and weight. No function takes or returns one.
#[repr(C)]
pub struct serverinfo {
    pub addr: [c_char; 22],
    pub memory: c_ulong,
}

/// What a roll hands out. `array` points to `numpoints` entries of `mcs`, sorted by `point`;
/// `modtime` to a `time_t`, the file's modification time in seconds. Both are NULL, and `numpoints`
/// is 0, where a roll found no servers. All of it is to be read only, and lives until
/// `ketama_smoke()`.
#[repr(C)]
pub struct continuum {
    pub numpoints: c_int,
    pub modtime: *mut c_void,
    pub array: *mut c_void,
}

/// A continuum, as the functions take it.
pub type ketama_continuum = *mut continuum;

/// The type of `qsort()`'s comparison, to cast `ketama_compare` to.
pub type compfn = Option<unsafe extern "C" fn(*const c_void, *const c_void) -> c_int>;

impl continuum {
    /// Hands out a share of a ring, or an empty continuum. `None` where there is no memory for it.
    fn new(rolled: Option<Arc<Rolled>>) -> Option<ketama_continuum> {
        // A list of one, which may fail as a box may not.
        let mut one = Vec::new();
        one.try_reserve_exact(1).ok()?;
        one.push(match rolled {
            Some(rolled) => continuum {
                // A ring whose points exceed an int is refused when it is made.
                numpoints: rolled.points.len() as c_int,
                array: rolled.points.as_ptr().cast_mut().cast(),
                modtime: Arc::into_raw(rolled).cast_mut().cast(),
            },
            None => continuum {
                numpoints: 0,
                modtime: ptr::null_mut(),
                array: ptr::null_mut(),
            },
        });
        Some(Box::into_raw(one.into_boxed_slice()).cast())
    }

    /// What is behind a continuum that C passed; `None` for NULL or an empty one.
    ///
    /// # Safety
    ///
    /// `cont` is NULL, or from [`new`](continuum::new) and not smoked, or a copy of such a one.
    unsafe fn rolled<'a>(cont: ketama_continuum) -> Option<&'a Rolled> {
        // SAFETY: NULL or live, by the caller's promise; then `modtime` is NULL or from
        // `Arc::into_raw`.
        unsafe { cont.as_ref()?.modtime.cast::<Rolled>().as_ref() }
    }
}

/// Reads a server definition file and makes its continuum.
///
/// `contptr`: receives the new continuum, to be given back with `ketama_smoke()`. One that was
/// there before is not freed: it keeps the ring that it was made with.
/// `filename`: the file's path.
///
/// Returns 1 on success. The ring is the file's present one: a change of its size, inode or times
/// since an earlier roll is seen. An unchanged file costs one stat() and one allocation, once its
/// last change is 20 ms old, and its continua share their points. One that changes while it is read
/// is read again. But one that is being written may look like a whole one, since any beginning of a
/// list of servers is a list of servers: replace it with rename().
///
/// Returns 0 on failure. Where the path leads to no file, an argument is NULL, or there is no
/// memory for a continuum, `*contptr` is not written. Where the file cannot be opened, defines no
/// server, or has a bad line, it receives a new continuum all the same, which is to be smoked too:
/// an empty one, except that a bad line in a file which this process has rolled well before gives
/// the last good ring, if a continuum still holds it or it is among the 8 that were used last. So
/// let it be NULL before, and smoke what is there after 0: smoking NULL does nothing. One bad line
/// refuses the whole file; the text gives its number, where a line of more than 126 bytes counts as
/// several.
///
/// A file that another process holds a lease on is waited for, for at most a minute.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_roll(
    contptr: *mut ketama_continuum,
    filename: *const c_char,
) -> c_int {
    guard(0, || {
        let _uncancelled = Uncancelled::begin();
        if contptr.is_null() || filename.is_null() {
            let name = if contptr.is_null() {
                "contptr"
            } else {
                "filename"
            };
            set_error(format_args!("{name} is NULL"));
            return 0;
        }
        // SAFETY: a string ended by a NUL, by the caller's promise.
        let filename = unsafe { CStr::from_ptr(filename) };
        let result = rolled::roll(filename);
        let name = filename.to_bytes();
        let refuse = |text: &str| {
            set_error_with(|error| {
                error.write_all(text.as_bytes())?;
                error.write_all(name)
            });
        };
        let (returned, rolled) = match result {
            Ok(rolled) => {
                clear_error();
                (1, Some(rolled))
            }
            Err(Failure::NoFile) => {
                refuse("Invalid filename specified: ");
                return 0;
            }
            Err(Failure::NoServers) => {
                refuse("No valid server definitions in file ");
                (0, None)
            }
            Err(Failure::Bad { reason, line, last }) => {
                set_error_with(|error| {
                    match line {
                        Some(line) => write!(error, "{reason} (line {line} in ")?,
                        None => write!(error, "{reason} (in ")?,
                    }
                    error.write_all(name)?;
                    error.write_all(b")")
                });
                (0, last)
            }
        };
        let Some(continuum) = continuum::new(rolled) else {
            set_error("Not enough memory");
            return 0;
        };
        // SAFETY: not NULL, and writable by the caller's promise.
        unsafe { *contptr = continuum };
        returned
    })
}

/// Gives a continuum back. What `ketama_get_server()` returned from it is then gone; other
/// continua, of the same file too, are not touched. NULL is allowed and does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_smoke(c: ketama_continuum) {
    guard((), || {
        if c.is_null() {
            return;
        }
        // SAFETY: from `continuum::new`, whose list of one is laid out as this, and given back
        // once, by the caller's promise.
        let continuum = unsafe { Box::from_raw(c) };
        if !continuum.modtime.is_null() {
            // SAFETY: from `Arc::into_raw`, in `continuum::new`.
            rolled::smoke(unsafe { Arc::from_raw(continuum.modtime.cast::<Rolled>()) });
        }
    });
}

/// Finds the server of a key.
///
/// `key`: a string ended by a NUL.
///
/// Returns the point that the key belongs to, an entry of `c->array` that lives until
/// `ketama_smoke(c)`. NULL for a NULL or empty continuum, or a NULL key. Never locks or allocates.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_get_server(key: *const c_char, c: ketama_continuum) -> *mut mcs {
    guard(ptr::null_mut(), || {
        if key.is_null() {
            set_error("the key is NULL");
            return ptr::null_mut();
        }
        // SAFETY: NULL or live, by the caller's promise.
        let Some(rolled) = (unsafe { continuum::rolled(c) }) else {
            set_error("the continuum is NULL or empty");
            return ptr::null_mut();
        };
        // SAFETY: a string ended by a NUL, by the caller's promise.
        let key = unsafe { CStr::from_ptr(key) };
        let at = rolled.ring.ring.find_point(key.to_bytes());
        ptr::from_ref(&rolled.points[at]).cast_mut().cast()
    })
}

/// Prints a continuum with the C library's printf(), so that it comes in order with the caller's
/// own output: a line `Numpoints in continuum: N`, then a line `IP (POINT)` a point; `Continuum
/// empty` where there is none. A NULL continuum is printed as an empty one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_print_continuum(c: ketama_continuum) {
    guard((), || {
        let _uncancelled = Uncancelled::begin();
        // SAFETY: NULL or live, by the caller's promise.
        let points = unsafe { continuum::rolled(c) }.map_or(&[][..], |rolled| &rolled.points);
        // SAFETY: the formats match their arguments, and each `ip` ends within its slot.
        unsafe {
            libc::printf(
                c"Numpoints in continuum: %d\n".as_ptr(),
                points.len() as c_int,
            );
            if points.is_empty() {
                libc::printf(c"Continuum empty\n".as_ptr());
            }
            for slot in points {
                libc::printf(c"%s (%u)\n".as_ptr(), slot.ip.as_ptr(), slot.point);
            }
        }
    });
}

/// Compares two points by position, for qsort(): -1, 0 or 1. With a NULL argument 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_compare(a: *const mcs, b: *const mcs) -> c_int {
    guard(0, || {
        // SAFETY: NULL or readable, by the caller's promise.
        match unsafe { (a.as_ref(), b.as_ref()) } {
            (Some(a), Some(b)) => a.point.cmp(&b.point) as c_int,
            _ => {
                set_error("a point is NULL");
                0
            }
        }
    })
}

/// Hashes a string ended by a NUL to its position on the circle: the first 32 bits of its MD5,
/// little-endian. With a NULL string 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_hashi(s: *const c_char) -> c_uint {
    guard(0, || {
        // SAFETY: NULL or a string ended by a NUL, by the caller's promise.
        unsafe { string_or_error(s) }
            .map_or(0, |s| hash::md5::first_word(Simd::get(), s.to_bytes()))
    })
}

/// Writes the MD5 of a string ended by a NUL. With a NULL argument it writes nothing.
///
/// `out`: receives 16 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_md5_digest(s: *const c_char, out: *mut c_uchar) {
    guard((), || {
        // SAFETY: NULL or a string ended by a NUL, by the caller's promise.
        let Some(s) = (unsafe { string_or_error(s) }) else {
            return;
        };
        // SAFETY: NULL or room for 16 bytes, by the caller's promise.
        match unsafe { out.cast::<[u8; 16]>().as_mut() } {
            Some(out) => *out = hash::md5::digest(s.to_bytes()),
            None => set_error("the output is NULL"),
        }
    });
}

/// A string that C passed, or an error text.
///
/// # Safety
///
/// `s` is NULL or a string ended by a NUL.
unsafe fn string_or_error<'a>(s: *const c_char) -> Option<&'a CStr> {
    if s.is_null() {
        set_error("the string is NULL");
        return None;
    }
    // SAFETY: not NULL, and ended by a NUL by the caller's promise.
    Some(unsafe { CStr::from_ptr(s) })
}

/// Returns the text of this thread's last failure, "" after a `ketama_roll()` that succeeded; the
/// same as `ketama_last_error()`. Never NULL; at most 254 bytes. It belongs to the library.
#[unsafe(no_mangle)]
pub extern "C" fn ketama_error() -> *mut c_char {
    error_text()
}

/// Lends the ring behind a continuum, for the functions that take a `ketama_ring`.
///
/// Returns NULL for a NULL or empty continuum. It lives until `ketama_smoke(c)`, or longer for
/// those who `ketama_ring_retain()` it; without that it must not be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_continuum_ring(c: ketama_continuum) -> *const ketama_ring {
    guard(ptr::null(), || {
        // SAFETY: NULL or live, by the caller's promise.
        match unsafe { continuum::rolled(c) } {
            Some(rolled) => Arc::as_ptr(&rolled.ring),
            None => {
                set_error("the continuum is NULL or empty");
                ptr::null()
            }
        }
    })
}
