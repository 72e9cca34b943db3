//! A ring that follows its file
//!
//! For programs that live longer than their lists of servers. A watch has a current ring;
//! `ketama_watch_poll()` looks at the file, and where it has changed puts a new ring in its place,
//! at once and whole. It is for the program to call, when it likes: there is no hidden thread. Any
//! thread may call any of these functions at any time, but `ketama_watch_free()`, which needs the
//! others to be done with that watch. None waits for another.

use super::ring::{
    DialectArgument, Failure, dialect, in_file, ketama_ring, ketama_status, not_null, path, status,
};
use super::{Uncancelled, guard, set_error};
use crate::watch::Watch;
use std::ffi::c_char;
use std::path::PathBuf;
use std::ptr;
use std::sync::Arc;

/// A server definition file and its current ring. Opaque; made by `ketama_watch_new()`.
pub struct ketama_watch {
    watch: Watch<ketama_ring>,
    path: PathBuf,
}

/// Reads a server definition file as `ketama_ring_from_file()` does, and watches it.
///
/// `path`: a string ended by a NUL. A relative one stays with the working folder of this moment.
/// `dialect`: whose rules to follow.
/// `out`: receives the watch, to be given back with `ketama_watch_free()`; not written on failure.
///
/// Returns `KETAMA_OK` or a code of `ketama_ring_from_file()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_watch_new(
    path: *const c_char,
    dialect: DialectArgument,
    out: *mut *mut ketama_watch,
) -> ketama_status {
    let _uncancelled = Uncancelled::begin();
    status(|| {
        not_null(out, "out")?;
        let dialect = self::dialect(dialect)?;
        // SAFETY: NULL or a string ended by a NUL, by the caller's promise.
        let path = unsafe { self::path(path) }?;
        let watch = Watch::new(path, dialect).map_err(|error| in_file(path, error))?;
        let watch = ketama_watch {
            watch,
            path: path.to_owned(),
        };
        // SAFETY: not NULL, and writable by the caller's promise.
        unsafe { *out = Box::into_raw(Box::new(watch)) };
        Ok(())
    })
}

/// Returns the current ring with one more owner, the caller, who is to free it with
/// `ketama_ring_free()`; NULL for a NULL watch. It stays as it is when another one takes its place.
/// Never waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_watch_ring(watch: *const ketama_watch) -> *mut ketama_ring {
    guard(ptr::null_mut(), || {
        // SAFETY: NULL or live, by the caller's promise.
        match unsafe { watch.as_ref() } {
            Some(watch) => Arc::into_raw(watch.watch.ring()).cast_mut(),
            None => {
                set_error("the watch is NULL");
                ptr::null_mut()
            }
        }
    })
}

/// Looks whether the file has changed, which costs a stat(), and if so reads it and makes its ring
/// the current one.
///
/// Returns `KETAMA_OK`, whether or not there is a new ring: `ketama_watch_ring()` returns another
/// one then. A file that lists the same servers keeps the ring. Where the file is gone, cannot be
/// read or is wrong, a code of `ketama_ring_from_file()`: then the current ring stays, and the next
/// poll tries again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_watch_poll(watch: *mut ketama_watch) -> ketama_status {
    let _uncancelled = Uncancelled::begin();
    status(|| {
        // SAFETY: NULL or live, by the caller's promise.
        let watch = unsafe { watch.as_ref() }.ok_or_else(|| Failure::null("watch"))?;
        match watch.watch.poll() {
            Ok(_) => Ok(()),
            Err(error) => Err(in_file(&watch.path, error)),
        }
    })
}

/// Gives a watch back. Rings that it handed out live on with their owners. NULL is allowed and does
/// nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_watch_free(watch: *mut ketama_watch) {
    guard((), || {
        if !watch.is_null() {
            // SAFETY: from `Box::into_raw`, and given back once, by the caller's promise.
            drop(unsafe { Box::from_raw(watch) });
        }
    });
}
