//! The functions of ketama.h, and what the header promises of all of them.

use ketama::capi::lookup::*;
use ketama::capi::ring::*;
use ketama::capi::rules::*;
use std::ffi::{CStr, CString, c_int};
use std::ptr;

pub const OK: c_int = 0;

/// Calls a function that returns a status: a text tells of its failure, and none of its success.
pub fn status(call: impl FnOnce() -> ketama_status) -> Result<(), c_int> {
    let status = call() as c_int;
    // A panic of the library ends the target before it becomes this.
    assert_ne!(status, ketama_status::KETAMA_INTERNAL_ERROR as c_int);
    let text = last_error();
    assert!(text.len() <= 254);
    assert_eq!(status == OK, text.is_empty(), "{status}: {text:?}");
    if status == OK { Ok(()) } else { Err(status) }
}

pub fn last_error() -> Vec<u8> {
    // SAFETY: a text ended by a NUL, copied at once.
    unsafe { CStr::from_ptr(ketama_last_error()) }
        .to_bytes()
        .to_vec()
}

/// Whether the text of the last failure begins so.
pub fn error_begins(text: &str) -> bool {
    last_error().starts_with(text.as_bytes())
}

/// The names of servers as C has them, each in memory of its own size.
pub fn names(servers: &[(&[u8], u64)]) -> Vec<CString> {
    let name = |&(name, _): &(&[u8], u64)| CString::new(name).unwrap();
    servers.iter().map(name).collect()
}

pub fn list(names: &[CString], servers: &[(&[u8], u64)]) -> Box<[ketama_server]> {
    let both = names.iter().zip(servers);
    both.map(|(name, &(_, weight))| ketama_server {
        name: name.as_ptr(),
        weight,
    })
    .collect()
}

pub fn dialect_rules(dialect: usize) -> ketama_rules {
    let mut rules = ketama_rules {
        struct_size: size_of::<ketama_rules>(),
        name: 0,
        digest: 0,
        points_per_digest: 0,
        count: 0,
        base: 0,
        zero_weight: 0,
        order: 0,
        ties: 0,
        key_hash: 0,
        lookup: 0,
        separator: 0,
    };
    // SAFETY: rules with their size.
    status(|| unsafe { ketama_dialect_rules(dialect as c_int, &mut rules) }).unwrap();
    rules
}

/// Does something with each set of instructions that this processor has.
pub fn each_set_of_instructions(mut test: impl FnMut(&str)) {
    for set in ["scalar", "avx2", "avx512"] {
        if ketama::choose_instructions(set) {
            test(set);
        }
    }
}

/// One owner of a ring.
pub struct Ring(pub *mut ketama_ring);

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: this is one of its owners.
        unsafe { ketama_ring_free(self.0) };
    }
}

impl Ring {
    /// Calls a function that makes a ring: it writes nothing where it fails.
    pub fn from(make: impl FnOnce(*mut *mut ketama_ring) -> ketama_status) -> Result<Ring, c_int> {
        let mut byte = 0u8;
        let untouched: *mut ketama_ring = ptr::from_mut(&mut byte).cast();
        let mut ring = untouched;
        let status = status(|| make(&mut ring));
        assert_eq!(ring == untouched, status.is_err());
        status.map(|()| Ring(ring))
    }

    pub fn custom(servers: &[(&[u8], u64)], rules: &ketama_rules) -> Result<Ring, c_int> {
        let names = names(servers);
        let list = list(&names, servers);
        // SAFETY: lists and rules as the header says.
        Ring::from(|out| unsafe { ketama_ring_new_custom(list.as_ptr(), list.len(), rules, out) })
    }

    pub fn servers(&self) -> Vec<(Vec<u8>, u64)> {
        // SAFETY: a live ring.
        unsafe { servers(self.0) }
    }

    pub fn points(&self) -> Vec<(u32, usize)> {
        // SAFETY: a live ring, and room for as many.
        unsafe {
            let count = ketama_ring_points(self.0, ptr::null_mut(), 0);
            let mut points: Vec<ketama_point> = Vec::with_capacity(count);
            assert_eq!(
                ketama_ring_points(self.0, points.as_mut_ptr(), count),
                count
            );
            points.set_len(count);
            points
                .iter()
                .map(|point| (point.point, point.server as usize))
                .collect()
        }
    }

    pub fn find(&self, key: &[u8]) -> usize {
        // SAFETY: a live ring, and a key of this length.
        unsafe { ketama_ring_find(self.0, key.as_ptr().cast(), key.len()) }
    }

    pub fn find_hash(&self, position: u32) -> usize {
        // SAFETY: a live ring.
        unsafe { ketama_ring_find_hash(self.0, position) }
    }

    pub fn hash(&self, key: &[u8]) -> u32 {
        // SAFETY: a live ring, and a key of this length.
        unsafe { ketama_ring_hash(self.0, key.as_ptr().cast(), key.len()) }
    }
}

/// The servers that a ring says it was made from.
///
/// # Safety
///
/// `ring` lives.
pub unsafe fn servers(ring: *const ketama_ring) -> Vec<(Vec<u8>, u64)> {
    // SAFETY: the caller's promise; the names live as long.
    unsafe {
        let server = |index| {
            let name = CStr::from_ptr(ketama_ring_server_name(ring, index));
            (
                name.to_bytes().to_vec(),
                ketama_ring_server_weight(ring, index),
            )
        };
        (0..ketama_ring_server_count(ring)).map(server).collect()
    }
}
