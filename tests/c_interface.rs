//! The C functions called from Rust, where Miri can follow them into the library; docs/unsafe.md says
//! how.

use ketama::capi::libketama::*;
use ketama::capi::lookup::*;
use ketama::capi::ring::ketama_status::*;
use ketama::capi::ring::*;
use ketama::capi::rules::*;
use ketama::capi::watch::*;
use ketama::{Dialect, Ring, Server};
use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::{null, null_mut};

const NAMES: [&CStr; 3] = [c"10.0.0.1:11211", c"/b", c"c"];
const KEYS: [&str; 4] = [
    "",
    "a",
    "user:42",
    "a key of more than sixty-four bytes, so that it has two blocks",
];

#[test]
fn the_c_functions_say_what_the_ring_says() {
    // One of each kind of hash in Miri, which takes minutes for one.
    let step = if cfg!(miri) { 4 } else { 1 };
    for (number, &dialect) in Dialect::ALL.iter().enumerate().step_by(step) {
        let servers = NAMES.map(|name| Server {
            name: name.to_bytes(),
            weight: 1,
        });
        let expected = Ring::with_rules(&servers, dialect.rules()).unwrap();
        // SAFETY: pointers to what each function takes, with its size; the ring lives until it is
        // freed as often as it was made and retained.
        unsafe {
            let ring = new_ring(number as c_int);
            same(ring, &expected);
            // Where each server is, and no more is read or written than there is.
            let mut walked = [u32::MAX; 3];
            assert_eq!(ketama_ring_walk(ring, null(), 0, walked.as_mut_ptr(), 2), 2);
            assert_eq!(walked[2], u32::MAX);
            let key = KEYS[2].as_bytes();
            // Through pointers that may write: they are read by atomic loads.
            let mut alive = [0, 1, 0];
            let at =
                ketama_ring_find_alive(ring, key.as_ptr().cast(), key.len(), alive.as_mut_ptr());
            assert_eq!(at, 1);
            let mut load = [5, 5, 0];
            let at = ketama_ring_find_bounded(
                ring,
                key.as_ptr().cast(),
                key.len(),
                load.as_mut_ptr(),
                1.01,
            );
            assert_eq!(at, 2);

            let mut others = null_mut();
            assert_eq!(
                ketama_ring_without_server(ring, NAMES[1].as_ptr(), &mut others) as c_int,
                KETAMA_OK as c_int
            );
            let (mut count, mut moved) = (0, 0.0);
            let status = ketama_ring_compare(ring, others, null_mut(), 0, &mut count, &mut moved);
            assert_eq!((status as c_int, count > 0, moved > 0.0), (0, true, true));
            let server = ketama_server {
                name: NAMES[1].as_ptr(),
                weight: 1,
            };
            let mut again = null_mut();
            assert_eq!(
                ketama_ring_with_server(others, &server, &mut again) as c_int,
                KETAMA_OK as c_int
            );
            assert_eq!(ketama_ring_server_count(again), 3);
            ketama_ring_free(others);
            ketama_ring_free(again);

            let kept = ketama_ring_retain(ring);
            ketama_ring_free(ring);
            same(kept, &expected);
            ketama_ring_free(kept);
        }
    }
}

#[test]
fn rules_are_taken_by_their_size() {
    // SAFETY: as above.
    unsafe {
        let mut rules = std::mem::zeroed::<ketama_rules>();
        assert_eq!(
            ketama_dialect_rules(0, &mut rules) as c_int,
            KETAMA_INVALID_RULES as c_int
        );
        rules.struct_size = size_of::<ketama_rules>();
        assert_eq!(
            ketama_dialect_rules(0, &mut rules) as c_int,
            KETAMA_OK as c_int
        );
        let servers = servers();
        let mut ring = null_mut();
        let status = ketama_ring_new_custom(servers.as_ptr(), 3, &rules, &mut ring);
        assert_eq!(status as c_int, KETAMA_OK as c_int);
        ketama_ring_free(ring);
        assert_eq!(
            ketama_ring_new(servers.as_ptr(), 3, 99, &mut ring) as c_int,
            KETAMA_UNKNOWN_DIALECT as c_int
        );
        let text = CStr::from_ptr(ketama_last_error());
        assert!(!text.is_empty());
    }
}

#[test]
#[cfg_attr(miri, ignore = "it opens no file with O_NONBLOCK")]
fn continua_and_watches_of_a_file() {
    let path = std::env::temp_dir().join(format!("c_interface.{}", std::process::id()));
    let name = CString::new(path.to_str().unwrap()).unwrap();
    std::fs::write(&path, "10.0.0.1:11211\t100\nb\t200\n").unwrap();
    // SAFETY: as above; each continuum is smoked once, and the watch is freed.
    unsafe {
        let (mut first, mut second) = (null_mut(), null_mut());
        assert_eq!(ketama_roll(&mut first, name.as_ptr()), 1);
        assert_eq!(ketama_roll(&mut second, name.as_ptr()), 1);
        let server = ketama_get_server(c"user:42".as_ptr(), first);
        let ip = (*server).ip;
        ketama_smoke(first);
        assert_eq!((*ketama_get_server(c"user:42".as_ptr(), second)).ip, ip);

        let mut watch = null_mut();
        assert_eq!(ketama_watch_new(name.as_ptr(), 0, &mut watch) as c_int, 0);
        let before = ketama_watch_ring(watch);
        std::fs::write(&path, "c\t1\n").unwrap();
        assert_eq!(ketama_watch_poll(watch) as c_int, 0);
        assert_eq!(ketama_ring_server_count(before), 2);
        ketama_ring_free(before);
        ketama_watch_free(watch);

        // Nothing but the last good ring.
        std::fs::write(&path, "c\n").unwrap();
        let mut third = null_mut();
        assert_eq!(ketama_roll(&mut third, name.as_ptr()), 0);
        assert_eq!((*third).numpoints, (*second).numpoints);
        ketama_smoke(third);
        ketama_smoke(second);
    }
    std::fs::remove_file(path).unwrap();
}

fn servers() -> [ketama_server; 3] {
    NAMES.map(|name| ketama_server {
        name: name.as_ptr(),
        weight: 1,
    })
}

/// # Safety
///
/// None but that the ring is to be freed.
unsafe fn new_ring(dialect: c_int) -> *mut ketama_ring {
    let servers = servers();
    let mut ring = null_mut();
    // SAFETY: three servers.
    let status = unsafe { ketama_ring_new(servers.as_ptr(), 3, dialect, &mut ring) };
    assert_eq!(status as c_int, KETAMA_OK as c_int);
    ring
}

/// # Safety
///
/// The ring is live.
unsafe fn same(ring: *const ketama_ring, expected: &Ring) {
    let keys = KEYS.map(|key| ketama_key {
        data: key.as_ptr().cast::<c_void>(),
        len: key.len(),
    });
    let mut servers = [u32::MAX; 4];
    // SAFETY: the caller's promise, and lists with their sizes.
    unsafe {
        assert_eq!(
            ketama_ring_find_many(ring, keys.as_ptr(), 4, servers.as_mut_ptr()) as c_int,
            KETAMA_OK as c_int
        );
        let bytes = KEYS.concat();
        let mut offsets = vec![0u32];
        offsets.extend(KEYS.iter().scan(0, |end, key| {
            *end += key.len() as u32;
            Some(*end)
        }));
        let mut packed = [u32::MAX; 4];
        let status = ketama_ring_find_packed(
            ring,
            bytes.as_ptr().cast(),
            offsets.as_ptr(),
            4,
            packed.as_mut_ptr(),
        );
        assert_eq!((status as c_int, packed), (0, servers));
        for (key, &server) in KEYS.iter().zip(&servers) {
            let found = ketama_ring_find(ring, key.as_ptr().cast(), key.len());
            assert_eq!((found, server as usize), (expected.find(key), found));
        }
        for (server, name) in NAMES.iter().enumerate() {
            assert_eq!(CStr::from_ptr(ketama_ring_server_name(ring, server)), *name);
        }
        let count = ketama_ring_points(ring, null_mut(), 0);
        let mut points = Vec::with_capacity(count);
        assert_eq!(ketama_ring_points(ring, points.as_mut_ptr(), count), count);
        points.set_len(count);
        let got = points
            .iter()
            .map(|point: &ketama_point| (point.point, point.server));
        assert!(got.eq(expected.points().map(|point| (point.point, point.server))));
    }
}

/// What Miri does not have of the C library.
#[cfg(miri)]
mod missing {
    use std::ffi::c_char;

    #[unsafe(no_mangle)]
    unsafe extern "C" fn strnlen(text: *const c_char, most: usize) -> usize {
        // SAFETY: the caller's promise: it is readable up to a NUL, or as far as `most`.
        (0..most)
            .find(|&at| unsafe { *text.add(at) } == 0)
            .unwrap_or(most)
    }
}
