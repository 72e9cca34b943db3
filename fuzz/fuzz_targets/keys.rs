//! Keys of any bytes and lengths, one by one and many at once, with each set of instructions.
//!
//! Input: a byte that chooses the hash, the lookup and the servers; a byte that says how the keys
//! stand in the rest; and that.
//!
//! 0: a byte that separates them.
//! 1: a pattern of four numbers of 2 bytes: how many, the least length, how much longer, and a step
//!    from one to the next in the bytes behind it, which are taken again and again.
//! 2: how many, in a byte, and an offset of 2 bytes for each and for the end, which may be wrong.
#![no_main]

use ketama::capi::libketama::{ketama_hashi, ketama_md5_digest};
use ketama::capi::lookup::*;
use ketama::capi::ring::ketama_status::*;
use ketama_fuzz::c::{self, Ring};
use ketama_fuzz::input::Input;
use ketama_fuzz::model::Model;
use libfuzzer_sys::fuzz_target;
use md5::{Digest, Md5};
use std::ffi::{CString, c_int};
use std::ptr;
use std::sync::OnceLock;

/// A ring of each set of instructions, and what they are to answer.
struct Rings {
    rings: Vec<Ring>,
    model: Model,
}

// SAFETY: any number of threads may use one ring at once.
unsafe impl Send for Rings {}
// SAFETY: the same.
unsafe impl Sync for Rings {}

static RINGS: [OnceLock<Rings>; 39] = [const { OnceLock::new() }; 39];

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let choice = usize::from(input.byte()) % RINGS.len();
    let rings = RINGS[choice].get_or_init(|| rings(choice));
    match input.byte() % 3 {
        0 => {
            let separator = input.byte();
            let keys = input.0.split(|&byte| byte == separator);
            check(rings, keys.map(Box::from).collect());
        }
        1 => check(rings, pattern(&mut input)),
        _ => check_offsets(rings, &mut input),
    }
});

fn rings(choice: usize) -> Rings {
    let kind = choice / 12;
    let (hash, lookup) = if kind < 3 {
        (choice % 4, choice / 4 % 3)
    } else {
        (0, choice % 3)
    };
    let mut rules = c::dialect_rules(0);
    (rules.key_hash, rules.lookup) = (hash as c_int, lookup as c_int);
    // As the keys are hashed, so that some fall on points.
    (rules.digest, rules.points_per_digest) = match hash {
        1 => (1, 1),
        3 => (3, 1),
        _ => (0, 4),
    };
    let names: Vec<String> = match kind {
        0 => vec!["one:1".into()],
        1 => (0..40).map(|i| format!("10.0.0.{i}:11211")).collect(),
        // Points that crowd, since most servers have the same.
        2 => (0..300).map(|i| format!("{}:1", i / 297)).collect(),
        // More servers than 2 bytes can name.
        _ => (0..70_000).map(|i| format!("{i}:1")).collect(),
    };
    if kind > 1 {
        (rules.count, rules.base) = (0, if kind == 2 { 4 } else { 1 });
    }
    let servers: Vec<(&[u8], u64)> = names
        .iter()
        .zip((1..=7).cycle())
        .map(|(name, weight)| (name.as_bytes(), weight))
        .collect();
    let mut rings = Vec::new();
    c::each_set_of_instructions(|_| rings.push(Ring::custom(&servers, &rules).unwrap()));
    let model = Model::new(&servers, &rules);
    Rings { rings, model }
}

fn pattern(input: &mut Input) -> Vec<Box<[u8]>> {
    let count = input.short() % 1100;
    let (least, more, step) = (input.short() % 2048, input.short(), input.short());
    let bytes = if input.0.is_empty() { b"\0" } else { input.0 };
    let key = |i: usize| -> Box<[u8]> {
        let len = least + (i * i * 31 + i) % (more + 1);
        bytes
            .iter()
            .cycle()
            .skip(i * step % bytes.len())
            .take(len)
            .copied()
            .collect()
    };
    // The model takes long for more.
    let mut rest = 32_768usize;
    let keys = (0..count).map(key).take_while(|key| {
        rest = rest.saturating_sub(key.len());
        rest > 0
    });
    keys.collect()
}

/// Keys, each in memory of its own size, so that a read beside one is found.
fn check(rings: &Rings, keys: Vec<Box<[u8]>>) {
    let model = &rings.model;
    let positions: Vec<u32> = keys.iter().map(|key| model.hash(key)).collect();
    let points: Vec<usize> = positions
        .iter()
        .map(|&position| model.point_of(position))
        .collect();
    let servers: Vec<u32> = points
        .iter()
        .map(|&point| model.points[point].1 as u32)
        .collect();
    // Some of the empty keys are NULL.
    let each = keys.iter().enumerate();
    let data = each.map(|(place, key)| match (key.is_empty(), place % 2) {
        (true, 0) => ptr::null(),
        _ => key.as_ptr().cast(),
    });
    let data: Vec<_> = data.collect();
    let list: Box<[ketama_key]> = data
        .iter()
        .zip(&keys)
        .map(|(&data, key)| ketama_key {
            data,
            len: key.len(),
        })
        .collect();
    let bytes: Box<[u8]> = keys.concat().into();
    let ends = keys.iter().scan(0, |end, key| {
        *end += key.len() as u32;
        Some(*end)
    });
    let offsets: Box<[u32]> = std::iter::once(0).chain(ends).collect();

    for ring in &rings.rings {
        // SAFETY: a live ring, keys of these lengths, and room for the servers of as many.
        unsafe {
            let mut found: Box<[u32]> = keys.iter().map(|_| u32::MAX).collect();
            let (n, to) = (keys.len(), found.as_mut_ptr());
            c::status(|| ketama_ring_find_many(ring.0, list.as_ptr(), n, to)).unwrap();
            assert_eq!(*found, *servers);
            found.fill(u32::MAX);
            let (data, at) = (bytes.as_ptr().cast(), offsets.as_ptr());
            c::status(|| ketama_ring_find_packed(ring.0, data, at, n, to)).unwrap();
            assert_eq!(*found, *servers);

            for (place, key) in list.iter().enumerate() {
                let found = ketama_ring_find(ring.0, key.data, key.len);
                assert_eq!(found, servers[place] as usize);
                let found = ketama_ring_find_point(ring.0, key.data, key.len);
                assert_eq!(found, points[place]);
                assert_eq!(
                    ketama_ring_hash(ring.0, key.data, key.len),
                    positions[place]
                );
            }
        }
    }
    for text in keys.into_iter().filter_map(|key| CString::new(key).ok()) {
        let expected = Md5::digest(text.as_bytes());
        let mut digest = [0; 16];
        // SAFETY: a string ended by a NUL, and room for 16 bytes.
        unsafe {
            ketama_md5_digest(text.as_ptr(), digest.as_mut_ptr());
            let position = ketama_hashi(text.as_ptr());
            assert_eq!(position.to_le_bytes(), expected[..4]);
        }
        assert_eq!(digest, expected[..]);
    }
}

fn check_offsets(rings: &Rings, input: &mut Input) {
    let n = usize::from(input.byte());
    let mut offsets: Box<[u32]> = (0..=n).map(|_| input.short() as u32).collect();
    let bytes: Box<[u8]> = input.0.into();
    // What the caller is to see to.
    offsets[n] = offsets[n].min(bytes.len() as u32);
    let expected: Option<Vec<u32>> = offsets
        .windows(2)
        .map(|pair| {
            // All before the first that descends are right, for the last is in the bytes.
            let key = bytes.get(pair[0] as usize..pair[1] as usize)?;
            Some(rings.model.find_hash(rings.model.hash(key)) as u32)
        })
        .collect();
    for ring in &rings.rings {
        let mut found: Box<[u32]> = vec![u32::MAX; n].into();
        let to = found.as_mut_ptr();
        // SAFETY: a live ring, bytes to the last offset, and room for as many servers.
        let made = c::status(|| unsafe {
            ketama_ring_find_packed(ring.0, bytes.as_ptr().cast(), offsets.as_ptr(), n, to)
        });
        match &expected {
            Some(expected) => {
                assert_eq!(made, Ok(()));
                assert_eq!(*found, **expected);
            }
            None => {
                assert_eq!(made, Err(KETAMA_OFFSETS as c_int));
                assert!(found.iter().all(|&server| server == u32::MAX));
            }
        }
    }
}
