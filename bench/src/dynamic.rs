//! Shared libraries that are opened by their paths.

use std::ffi::{CStr, CString, c_int, c_void};
use std::mem::size_of;
use std::path::Path;

/// A shared library. It stays open until the program ends.
#[derive(Clone, Copy)]
pub struct Dynamic {
    handle: *mut c_void,
}

impl Dynamic {
    /// `flags`: more than `RTLD_LOCAL`.
    pub fn open(path: &Path, flags: c_int) -> Result<Dynamic, String> {
        let path = CString::new(path.to_str().expect("a path in UTF-8")).unwrap();
        // SAFETY: a string ended by a NUL; what the library does when loaded is its own affair.
        let handle = unsafe { libc::dlopen(path.as_ptr(), flags | libc::RTLD_LOCAL) };
        if handle.is_null() {
            // SAFETY: dlopen has failed, so there is a text.
            let text = unsafe { CStr::from_ptr(libc::dlerror()) };
            return Err(text.to_string_lossy().into_owned());
        }
        Ok(Dynamic { handle })
    }

    /// # Safety
    ///
    /// `F` is the type of a pointer to the library's function of this name.
    pub unsafe fn function<F: Copy>(self, name: &CStr) -> F {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) }
        // SAFETY: an open library, and a string ended by a NUL.
        let found = unsafe { libc::dlsym(self.handle, name.as_ptr()) };
        assert!(!found.is_null(), "{name:?} is missing");
        // SAFETY: a pointer to a function, by the caller's promise.
        unsafe { std::mem::transmute_copy(&found) }
    }
}
