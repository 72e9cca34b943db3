//! ketama_ring_compare() against both rings asked at every position where either may change its mind.
//!
//! Input: a byte that chooses the first ring's dialect and one for the second's; the changes to
//! each one's rules; a list of servers, which of them the second ring does not have, and those that
//! it has besides. If its first byte is below 128, both place keys by the same hash.
#![no_main]

use ketama::capi::lookup::*;
use ketama::capi::ring::ketama_status::*;
use ketama::capi::rules::ketama_rules;
use ketama_fuzz::c::{self, Ring};
use ketama_fuzz::input::{Input, rules};
use ketama_fuzz::model::{self, Model};
use libfuzzer_sys::{Corpus, fuzz_target};
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::ptr;

fuzz_target!(|data: &[u8]| -> Corpus {
    let mut input = Input(data);
    let (first, second) = (input.byte(), input.byte());
    let (a, mut b) = (rules(first, &mut input), rules(second, &mut input));
    if first < 128 {
        b.key_hash = a.key_hash;
    }
    let servers = input.servers();
    let without = input.word();
    let stay = servers
        .iter()
        .zip(0..)
        .filter(|&(_, index)| without >> (index % 32) & 1 == 0);
    let mut others: Vec<_> = stay.map(|(&server, _)| server).collect();
    others.extend(input.servers());

    let makes_none = |servers: &[(&[u8], u64)], rules: &ketama_rules| {
        !model::errors(servers, rules).is_empty() || model::count(servers, rules) > 4000
    };
    if makes_none(&servers, &a) || makes_none(&others, &b) {
        return Corpus::Reject;
    }
    let rings = [
        Ring::custom(&servers, &a).unwrap(),
        Ring::custom(&others, &b).unwrap(),
    ];
    let models = [Model::new(&servers, &a), Model::new(&others, &b)];
    if a.key_hash != b.key_hash {
        let (mut count, mut moved) = (7, 7.0);
        let compared = compare(&rings, &mut [], Some(&mut count), Some(&mut moved));
        assert_eq!(compared, Err(KETAMA_DIFFERENT_HASHES as c_int));
        assert_eq!((count, moved), (7, 7.0));
        return Corpus::Keep;
    }

    // Positions by where they were and where they go.
    let mut expected: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for (start, len) in model::arcs(&[&models[0], &models[1]]) {
        let (from, to) = (models[0].find_hash(start), models[1].find_hash(start));
        assert_eq!(
            (rings[0].find_hash(start), rings[1].find_hash(start)),
            (from, to)
        );
        if servers[from].0 != others[to].0 {
            *expected.entry((from as u32, to as u32)).or_default() += len;
        }
    }
    let share = |positions: u64| positions as f64 / 4294967296.0;
    let all: u64 = expected.values().sum();
    let expected: Vec<(u32, u32, f64)> = expected
        .iter()
        .map(|(&(from, to), &len)| (from, to, share(len)))
        .collect();
    for room in [0, expected.len() / 2, expected.len() + 1] {
        let mut moves: Vec<ketama_move> = Vec::new();
        moves.resize_with(room, || ketama_move {
            from: u32::MAX,
            to: u32::MAX,
            share: -1.0,
        });
        let (mut count, mut moved) = (0, 0.0);
        compare(&rings, &mut moves, Some(&mut count), Some(&mut moved)).unwrap();
        assert_eq!((count, moved), (expected.len(), share(all)));
        let untouched = (u32::MAX, u32::MAX, -1.0);
        let expected = expected.iter().copied().chain([untouched]);
        assert!(
            moves
                .iter()
                .map(|one| (one.from, one.to, one.share))
                .eq(expected.take(room))
        );
    }
    compare(&rings, &mut [], None, None).unwrap();
    Corpus::Keep
});

fn compare(
    [a, b]: &[Ring; 2],
    moves: &mut [ketama_move],
    count: Option<&mut usize>,
    moved: Option<&mut f64>,
) -> Result<(), c_int> {
    let list = if moves.is_empty() {
        ptr::null_mut()
    } else {
        moves.as_mut_ptr()
    };
    let count = count.map_or(ptr::null_mut(), ptr::from_mut);
    let moved = moved.map_or(ptr::null_mut(), ptr::from_mut);
    // SAFETY: live rings, and room for what is written.
    c::status(|| unsafe { ketama_ring_compare(a.0, b.0, list, moves.len(), count, moved) })
}
