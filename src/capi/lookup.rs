//! Many keys, replicas, failover, load, and what is inside a ring
//!
//! Every function here may be called by any thread at any time. None locks, and of those that look
//! keys up only `ketama_ring_walk()` allocates, one small buffer. Servers are named by their index
//! in the list that the ring was made from.
//!
//! What is passed in must not change during a call, unless it says so, and outputs must not overlap
//! it.
//!
//! A walk goes from a key's point around the ring, in the direction that its dialect looks: to
//! higher positions, or with dalli's rule to lower ones.

use super::ring::{
    Failure, KETAMA_NONE, ketama_ring, ketama_status, not_null, ring_or_error, status,
};
use super::{bytes, guard, set_error};
use crate::error::Error;
use crate::hash::lanes::{Keys, NOTHING, Packed};
use std::ffi::c_void;
use std::slice;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

/// A key: `len` bytes of any value. `data` may be NULL when `len` is 0.
#[repr(C)]
pub struct ketama_key {
    pub data: *const c_void,
    pub len: usize,
}

/// A share of all positions, from 0 to 1, that belongs to the server `from` of one ring and `to` of
/// another.
#[repr(C)]
pub struct ketama_move {
    pub from: u32,
    pub to: u32,
    pub share: f64,
}

/// A ring and a key that C passed, or an error text.
///
/// # Safety
///
/// As for [`ring_or_error`] and [`bytes`].
unsafe fn ring_and_key<'a>(
    ring: *const ketama_ring,
    key: *const c_void,
    key_len: usize,
) -> Option<(&'a ketama_ring, &'a [u8])> {
    // SAFETY: by the caller's promise.
    let ring = unsafe { ring_or_error(ring) }?;
    // SAFETY: by the caller's promise.
    let key = unsafe { bytes(key, key_len) };
    if key.is_none() {
        set_error("the key is NULL, or longer than memory");
    }
    Some((ring, key?))
}

/// Finds the server of a key.
///
/// `key`: `key_len` bytes of any value, NUL included. It may be NULL when `key_len` is 0.
///
/// Returns the server's index in the list that the ring was made from, or `KETAMA_NONE` for a NULL
/// ring, or a NULL key with a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_find(
    ring: *const ketama_ring,
    key: *const c_void,
    key_len: usize,
) -> usize {
    guard(KETAMA_NONE, || {
        // SAFETY: by the caller's promise.
        unsafe { ring_and_key(ring, key, key_len) }
            .map_or(KETAMA_NONE, |(ring, key)| ring.ring.find(key))
    })
}

/// Finds the point of a key.
///
/// Returns its index in the order of `ketama_ring_points()`, or `KETAMA_NONE` for a NULL ring, or a
/// NULL key with a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_find_point(
    ring: *const ketama_ring,
    key: *const c_void,
    key_len: usize,
) -> usize {
    guard(KETAMA_NONE, || {
        // SAFETY: by the caller's promise.
        unsafe { ring_and_key(ring, key, key_len) }
            .map_or(KETAMA_NONE, |(ring, key)| ring.ring.find_point(key))
    })
}

/// Returns the position of a key on the circle, by the hash of the ring's dialect; 0 for a NULL
/// ring, or a NULL key with a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_hash(
    ring: *const ketama_ring,
    key: *const c_void,
    key_len: usize,
) -> u32 {
    guard(0, || {
        // SAFETY: by the caller's promise.
        unsafe { ring_and_key(ring, key, key_len) }.map_or(0, |(ring, key)| ring.ring.hash(key))
    })
}

/// Returns the server of the keys at a position; `KETAMA_NONE` for a NULL ring.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_find_hash(ring: *const ketama_ring, position: u32) -> usize {
    guard(KETAMA_NONE, || {
        // SAFETY: by the caller's promise.
        unsafe { ring_or_error(ring) }.map_or(KETAMA_NONE, |ring| ring.ring.find_hash(position))
    })
}

/// Keys that C passed, of which those with a length are not NULL, and none is longer than an object
/// can be.
#[derive(Clone, Copy)]
struct Checked<'a>(&'a [ketama_key]);

// SAFETY: C does not change them during the call.
unsafe impl<'a> Keys<'a> for Checked<'a> {
    fn len(self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    unsafe fn get(self, place: usize) -> &'a [u8] {
        // SAFETY: the caller's promise.
        let key = unsafe { self.0.get_unchecked(place) };
        let data = if key.data.is_null() {
            NOTHING.as_ptr()
        } else {
            key.data.cast()
        };
        // SAFETY: they were checked, and can be read, by the caller's promise.
        unsafe { slice::from_raw_parts(data, key.len) }
    }
}

/// Writes what [`Ring::find_each`](crate::Ring::find_each) finds.
///
/// # Safety
///
/// `servers` has room for as many as are looked for.
unsafe fn writer(servers: *mut u32) -> impl FnMut(usize, &[u32]) {
    move |place, found| {
        // SAFETY: they are within that room, which is no memory of ours.
        unsafe {
            servers
                .add(place)
                .copy_from_nonoverlapping(found.as_ptr(), found.len())
        };
    }
}

/// Finds the servers of many keys.
///
/// `keys`: `n` keys.
/// `servers`: receives `n` servers, in the order of the keys; not written on failure.
///
/// Returns `KETAMA_OK`; `KETAMA_NULL_ARGUMENT` for a NULL ring, for NULL keys or servers with an
/// `n`, or a key that is NULL with a length or longer than memory; `KETAMA_OUT_OF_RANGE` where
/// memory cannot hold `n` keys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_find_many(
    ring: *const ketama_ring,
    keys: *const ketama_key,
    n: usize,
    servers: *mut u32,
) -> ketama_status {
    status(|| {
        // SAFETY: NULL or live, by the caller's promise.
        let ring = unsafe { ring.as_ref() }.ok_or_else(|| Failure::null("ring"))?;
        if n == 0 {
            return Ok(());
        }
        not_null(keys, "keys")?;
        not_null(servers, "servers")?;
        if n > isize::MAX as usize / size_of::<ketama_key>() {
            return Err(Failure::too_many(n));
        }
        // SAFETY: not NULL, and `n` keys by the caller's promise.
        let keys = unsafe { slice::from_raw_parts(keys, n) };
        // All before any is looked up: nothing is written on failure.
        let is_wrong = |key: &ketama_key| {
            let is_null = key.data.is_null() & (key.len > 0);
            is_null | isize::try_from(key.len).is_err()
        };
        if keys.iter().fold(false, |wrong, key| wrong | is_wrong(key)) {
            let index = keys.iter().position(is_wrong).expect("one of all");
            return Err(Failure::null(format_args!(
                "key {index} is longer than memory, or"
            )));
        }
        // SAFETY: room for `n` servers, by the caller's promise.
        ring.ring
            .find_each(Checked(keys), unsafe { writer(servers) });
        Ok(())
    })
}

/// Finds the servers of many keys that stand one behind the other, as Apache Arrow lays out
/// strings.
///
/// `bytes`: the keys' bytes. It may be NULL when all keys are empty.
/// `offsets`: `n + 1` numbers that do not descend. Key `i` is the bytes from `offsets[i]` to before
/// `offsets[i + 1]`.
/// `servers`: receives `n` servers, in the order of the keys; not written on failure.
///
/// Returns `KETAMA_OK`; `KETAMA_NULL_ARGUMENT` for a NULL ring, or another NULL with an `n`;
/// `KETAMA_OFFSETS` where an offset is below the one before it; `KETAMA_OUT_OF_RANGE` where memory
/// cannot hold `n` offsets.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_find_packed(
    ring: *const ketama_ring,
    bytes: *const c_void,
    offsets: *const u32,
    n: usize,
    servers: *mut u32,
) -> ketama_status {
    status(|| {
        // SAFETY: NULL or live, by the caller's promise.
        let ring = unsafe { ring.as_ref() }.ok_or_else(|| Failure::null("ring"))?;
        if n == 0 {
            return Ok(());
        }
        not_null(offsets, "offsets")?;
        not_null(servers, "servers")?;
        if n >= isize::MAX as usize / size_of::<u32>() {
            return Err(Failure::too_many(n));
        }
        // SAFETY: not NULL, and `n + 1` offsets by the caller's promise.
        let offsets = unsafe { slice::from_raw_parts(offsets, n + 1) };
        // All keys are empty, wherever they stand.
        if bytes.is_null() && offsets.iter().all(|&offset| offset == offsets[0]) {
            let server = ring.ring.find("") as u32;
            for place in 0..n {
                // SAFETY: room for `n` servers, by the caller's promise.
                unsafe { servers.add(place).write(server) };
            }
            return Ok(());
        }
        // SAFETY: readable up to the last offset, by the caller's promise.
        let bytes = unsafe { super::bytes(bytes, offsets[n] as usize) };
        let bytes = bytes.ok_or_else(|| Failure::null("bytes"))?;
        let keys = Packed::new(bytes, offsets).map_err(|key| Error::Offsets { key })?;
        // SAFETY: room for `n` servers, by the caller's promise.
        ring.ring.find_each(keys, unsafe { writer(servers) });
        Ok(())
    })
}

/// Finds the servers for a key's replicas: the distinct ones met on a walk from its place, its own
/// first. Servers with no point never appear.
///
/// `servers`: receives up to `max` servers. It may be NULL when `max` is 0.
///
/// Returns how many were written: `max`, or less where fewer servers have points; 0 for a NULL
/// ring, a NULL key with a length, or NULL servers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_walk(
    ring: *const ketama_ring,
    key: *const c_void,
    key_len: usize,
    servers: *mut u32,
    max: usize,
) -> usize {
    guard(0, || {
        // SAFETY: by the caller's promise.
        let Some((ring, key)) = (unsafe { ring_and_key(ring, key, key_len) }) else {
            return 0;
        };
        if servers.is_null() {
            if max > 0 {
                set_error("servers is NULL");
            }
            return 0;
        }
        let mut written = 0;
        for server in ring.ring.walk(key).take(max) {
            // SAFETY: room for `max` servers, by the caller's promise.
            unsafe { servers.add(written).write(server as u32) };
            written += 1;
        }
        written
    })
}

/// Finds the server of a key while some are down: the first on a walk from its place that is alive.
/// Only keys of servers that are down move.
///
/// `alive`: a byte for each server, 0 where it is down. Other threads may change it,
/// by atomic stores.
///
/// Returns the server, or `KETAMA_NONE` where none with points is alive, for a NULL ring or
/// `alive`, or a NULL key with a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_find_alive(
    ring: *const ketama_ring,
    key: *const c_void,
    key_len: usize,
    alive: *const u8,
) -> usize {
    guard(KETAMA_NONE, || {
        // SAFETY: by the caller's promise.
        let Some((ring, key)) = (unsafe { ring_and_key(ring, key, key_len) }) else {
            return KETAMA_NONE;
        };
        if alive.is_null() {
            set_error("alive is NULL");
            return KETAMA_NONE;
        }
        // SAFETY: a byte for each server, by the caller's promise; other threads may change it.
        let alive = |server| unsafe { AtomicU8::from_ptr(alive.add(server).cast_mut()) };
        let found = ring
            .ring
            .find_alive(key, |server| alive(server).load(Relaxed) != 0);
        found.unwrap_or_else(|| {
            set_error("no server is alive");
            KETAMA_NONE
        })
    })
}

/// Finds a server for a key that is not loaded beyond its share: consistent hashing with bounded
/// loads (Mirrokni, Thorup, Zadimoghaddam). It is the first on a walk from the key's place whose
/// load is below ceil(factor * (total + 1) * w / W), where w is its weight, and total and W are the
/// load and the weight of all servers that have points. Where the dialect ignores weights, each
/// counts 1.
///
/// `load`: a number for each server: what it holds now. Other threads may change it,
/// by atomic stores.
/// `factor`: above 1; 1.25, say, allows a quarter more than the fair share.
///
/// Returns the server. `KETAMA_NONE` where `factor` is NaN or not above 1, for a NULL ring or
/// `load`, or a NULL key with a length; in all other cases there is one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_find_bounded(
    ring: *const ketama_ring,
    key: *const c_void,
    key_len: usize,
    load: *const u64,
    factor: f64,
) -> usize {
    guard(KETAMA_NONE, || {
        // SAFETY: by the caller's promise.
        let Some((ring, key)) = (unsafe { ring_and_key(ring, key, key_len) }) else {
            return KETAMA_NONE;
        };
        if load.is_null() {
            set_error("load is NULL");
            return KETAMA_NONE;
        }
        // SAFETY: a number for each server, by the caller's promise; other threads may change it.
        let load = |server| unsafe { AtomicU64::from_ptr(load.add(server).cast_mut()) };
        let found = ring
            .ring
            .find_bounded(key, |server| load(server).load(Relaxed), factor);
        found.unwrap_or_else(|| {
            set_error(format_args!("the factor is {factor}, and not above 1"));
            KETAMA_NONE
        })
    })
}

/// Returns the exact share of all positions that a server owns, from 0 to 1; -1 for a NULL ring or
/// where there is no such server. The shares of a ring sum to 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_share(ring: *const ketama_ring, server: usize) -> f64 {
    guard(-1.0, || {
        // SAFETY: by the caller's promise.
        let ring = unsafe { ring_or_error(ring) };
        ring.filter(|ring| ring.server(server).is_some())
            .map_or(-1.0, |ring| ring.ring.share(server))
    })
}

/// Tells what moves when one ring takes another's place: the exact share of the positions whose
/// server has another name, from the arcs of both rings.
///
/// `a`, `b`: the ring now, and the one that comes.
/// `moves`: receives up to `capacity` moves, by `from` and then by `to`, which are indexes of `a`
/// and of `b`. It may be NULL when `capacity` is 0.
/// `count`: receives the number of moves that there are. It may be NULL.
/// `moved`: receives the sum of their shares. It may be NULL.
///
/// Returns `KETAMA_OK`; `KETAMA_DIFFERENT_HASHES` where the rings place keys by different hashes,
/// so that shares of positions say nothing of keys; `KETAMA_OUT_OF_MEMORY`, though where memory runs
/// out while moves are added up, the program ends; `KETAMA_NULL_ARGUMENT`. Nothing is written on
/// failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_compare(
    a: *const ketama_ring,
    b: *const ketama_ring,
    moves: *mut ketama_move,
    capacity: usize,
    count: *mut usize,
    moved: *mut f64,
) -> ketama_status {
    status(|| {
        // SAFETY: NULL or live, by the caller's promise.
        let (a, b) = unsafe { (a.as_ref(), b.as_ref()) };
        let a = a.ok_or_else(|| Failure::null("a"))?;
        let b = b.ok_or_else(|| Failure::null("b"))?;
        if capacity > 0 {
            not_null(moves, "moves")?;
        }
        let comparison = a.ring.compare(&b.ring)?;
        for (index, one) in comparison.moves.iter().take(capacity).enumerate() {
            // SAFETY: not NULL where `capacity` is above 0, and room for as many.
            unsafe {
                moves.add(index).write(ketama_move {
                    from: one.from,
                    to: one.to,
                    share: one.share,
                });
            }
        }
        // SAFETY: NULL or writable, by the caller's promise.
        unsafe {
            if let Some(count) = count.as_mut() {
                *count = comparison.moves.len();
            }
            if let Some(moved) = moved.as_mut() {
                *moved = comparison.moved;
            }
        }
        Ok(())
    })
}
