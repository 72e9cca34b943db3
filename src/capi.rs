//! The C interface. What its callers are promised stands in `include/ketama.h`, which is made from
//! the documentation of the public modules here.
//!
//! Every function checks its pointers, calls safe code inside [`guard`], and writes through a
//! pointer only on success. Enums arrive as `int` and are checked.
#![allow(non_camel_case_types)]
// The contract of each function is its documentation, written for C.
#![allow(clippy::missing_safety_doc)]

pub mod libketama;
pub mod lookup;
mod mutex;
pub mod ring;
mod rolled;
pub mod rules;
pub mod watch;

use std::any::Any;
use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::fmt::Display;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The longest error text, in bytes, as in the original.
const MAX_ERROR: usize = 254;

thread_local! {
    // It has no destructor, which could still be due at a thread's exit after a dlclose.
    static ERROR: Cell<[u8; MAX_ERROR + 1]> = const { Cell::new([0; MAX_ERROR + 1]) };
}

/// Runs safe code on behalf of C. A panic becomes an error text and `failed`.
fn guard<T>(failed: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        set_error(format_args!("internal error: {}", panic_text(&*panic)));
        // Its destructor may panic in turn, and nobody is left to catch that.
        std::mem::forget(panic);
        failed
    })
}

/// While this lives, pthread_cancel() waits: reading a file and printing are where it would strike,
/// and what it throws may not cross Rust.
struct Uncancelled(c_int);

// SAFETY: as <pthread.h> has it.
unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

impl Uncancelled {
    fn begin() -> Uncancelled {
        /// PTHREAD_CANCEL_DISABLE, of glibc and musl.
        const DISABLE: c_int = 1;
        let mut old = 0;
        // SAFETY: a place for the old state.
        unsafe { pthread_setcancelstate(DISABLE, &mut old) };
        Uncancelled(old)
    }
}

impl Drop for Uncancelled {
    fn drop(&mut self) {
        // SAFETY: the old state may be left out.
        unsafe { pthread_setcancelstate(self.0, std::ptr::null_mut()) };
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "panic"
    }
}

/// Sets this thread's error text, cut to its size. This takes no memory: there may be none.
fn set_error(text: impl Display) {
    set_error_with(|error| write!(error, "{text}"));
}

/// The same of a text that is not all UTF-8.
fn set_error_with(write: impl FnOnce(&mut &mut [u8]) -> io::Result<()>) {
    let mut error = [0; MAX_ERROR + 1];
    // It fails at the end of its room.
    let _ = write(&mut &mut error[..MAX_ERROR]);
    ERROR.set(error);
}

fn clear_error() {
    set_error("");
}

/// This thread's error text; C may read it until the thread's next call that sets or clears it.
fn error_text() -> *mut c_char {
    ERROR.with(Cell::as_ptr).cast()
}

/// The bytes that C passed, unless they cannot be read.
///
/// # Safety
///
/// `data`, unless NULL, points to `len` bytes that can be read and do not change during `'a`.
unsafe fn bytes<'a>(data: *const c_void, len: usize) -> Option<&'a [u8]> {
    if len == 0 {
        return Some(&[]);
    }
    if data.is_null() || isize::try_from(len).is_err() {
        return None;
    }
    // SAFETY: not NULL, no longer than an object can be, and readable by the caller's promise.
    Some(unsafe { std::slice::from_raw_parts(data.cast(), len) })
}
