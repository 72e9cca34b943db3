//! An allocator that counts, and what rings hold of it.

use crate::servers::Servers;
use ketama::Ring;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which keeps the sum of what a thread has allocated and not freed.
pub struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    HELD.set(HELD.get() + change);
}

// SAFETY: all is handed on to the system's allocator as it comes.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: by the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: by the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: by the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: by the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// What a ring of so many servers holds, with names and all else.
pub struct Memory {
    pub servers: usize,
    pub points: usize,
    pub bytes: usize,
}

impl Memory {
    pub fn of_ring(servers: usize) -> Memory {
        let list = Servers::new(servers, 0).list;
        let before = HELD.get();
        let ring = Box::new(Ring::new(&list).expect("a ring"));
        let bytes = HELD.get() - before;
        Memory {
            servers,
            points: ring.points().len(),
            bytes: bytes as usize,
        }
    }

    pub fn bytes_a_point(&self) -> f64 {
        self.bytes as f64 / self.points as f64
    }
}
