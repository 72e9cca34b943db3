//! Lists of servers, in all dialects and by rules of one's own, and what is asked of their rings.
//!
//! Input: a byte, of which the low 4 bits choose the dialect, the next 2 the instructions, and the
//! others whether its rules are changed, as the next bytes say; a list of servers; a server; how far
//! loads may exceed the average; a load for each server; and a key. In the place of a fourth set of
//! instructions are wrong arguments.
#![no_main]

use ketama::Dialect;
use ketama::capi::lookup::*;
use ketama::capi::ring::ketama_status::*;
use ketama::capi::ring::*;
use ketama::capi::rules::ketama_rules;
use ketama_fuzz::c::{self, Ring};
use ketama_fuzz::dialects;
use ketama_fuzz::input::{Input, rules};
use ketama_fuzz::model::{self, Model};
use libfuzzer_sys::{Corpus, fuzz_target};
use std::ffi::{CStr, CString, c_int};
use std::ptr;

type Server<'a> = (&'a [u8], u64);

fuzz_target!(|data: &[u8]| -> Corpus {
    let mut input = Input(data);
    let choice = input.byte();
    match ["scalar", "avx2", "avx512"].get(usize::from(choice >> 4 & 3)) {
        // Where this processor does not have it, the one before stays.
        Some(set) => ketama::choose_instructions(set),
        None => return by_wrong_arguments(input),
    };
    if choice < 0x40 {
        by_dialect(usize::from(choice & 0xf) % Dialect::ALL.len(), input)
    } else {
        by_rules(choice, input)
    }
});

fn by_dialect(dialect: usize, mut input: Input) -> Corpus {
    let rules = c::dialect_rules(dialect);
    let servers = input.servers();
    let errors = model::errors(&servers, &rules);
    if errors.is_empty() && is_large(&servers, &rules) {
        return Corpus::Reject;
    }
    let names = c::names(&servers);
    let list = c::list(&names, &servers);
    // SAFETY: a list as the header says.
    let made = Ring::from(|out| unsafe {
        ketama_ring_new(list.as_ptr(), list.len(), dialect as c_int, out)
    });
    match made {
        Ok(ring) => {
            assert!(errors.is_empty(), "{errors:?}");
            // SAFETY: a name that lives for ever.
            let name = unsafe { CStr::from_ptr(ketama_dialect_name(dialect as c_int)) };
            let told = dialects::Model::new(name.to_str().unwrap(), &servers);
            let model = Model::new(&servers, &rules);
            assert!(ring.points() == told.points && told.points == model.points);
            operations(&ring, &model, &servers, &rules, input);
        }
        Err(status) => failed(status, &servers, &rules),
    }
    Corpus::Keep
}

fn by_rules(dialect: u8, mut input: Input) -> Corpus {
    let rules = rules(dialect, &mut input);
    let servers = input.servers();
    let errors = model::errors(&servers, &rules);
    if errors.is_empty() && is_large(&servers, &rules) {
        return Corpus::Reject;
    }
    match Ring::custom(&servers, &rules) {
        Ok(ring) => {
            assert!(errors.is_empty(), "{errors:?}");
            let model = Model::new(&servers, &rules);
            assert!(ring.points() == model.points);
            if model.points.len() < MANY_POINTS as usize {
                operations(&ring, &model, &servers, &rules, input);
            }
        }
        Err(status) => failed(status, &servers, &rules),
    }
    Corpus::Keep
}

/// NULL in the place of each argument, and numbers that are no dialect.
fn by_wrong_arguments(mut input: Input) -> Corpus {
    let (which, number) = (input.byte(), input.word() as c_int);
    let servers = input.servers();
    let names = c::names(&servers);
    let mut list = c::list(&names, &servers);
    let make = |servers, count, dialect, expected: ketama_status| {
        // SAFETY: lists as the header says, but for what is wrong with them.
        let made = Ring::from(|out| unsafe { ketama_ring_new(servers, count, dialect, out) });
        assert_eq!(made.err(), Some(expected as c_int));
    };
    match which % 4 {
        0 if !(0..Dialect::ALL.len() as c_int).contains(&number) => {
            make(list.as_ptr(), list.len(), number, KETAMA_UNKNOWN_DIALECT);
            assert!(ketama_dialect_name(number).is_null());
        }
        1 => make(
            ptr::null(),
            (number as usize).max(1),
            0,
            KETAMA_NULL_ARGUMENT,
        ),
        2 if !list.is_empty() => {
            list[number as usize % servers.len()].name = ptr::null();
            make(list.as_ptr(), list.len(), 0, KETAMA_NULL_ARGUMENT);
        }
        _ => {
            // SAFETY: a list as the header says.
            let made = c::status(|| unsafe {
                ketama_ring_new(list.as_ptr(), list.len(), 0, ptr::null_mut())
            });
            assert_eq!(made, Err(KETAMA_NULL_ARGUMENT as c_int));
        }
    }
    Corpus::Keep
}

/// The model takes long for more.
const MANY_POINTS: u128 = 3000;

/// Whether the model would take long; less so for one digest, which shows the sort that rings of
/// very many points have of their own.
fn is_large(servers: &[Server], rules: &ketama_rules) -> bool {
    const ONE_AT_A_TIME: c_int = 1;
    let most = if rules.digest == ONE_AT_A_TIME {
        300_000
    } else {
        MANY_POINTS
    };
    model::count(servers, rules) > most
}

/// A failure says what is wrong, and with which server.
fn failed(status: c_int, servers: &[Server], rules: &ketama_rules) {
    let errors = model::errors(servers, rules);
    assert!(errors.contains(&status), "{status}, not {errors:?}");
    let at_fault = |is_wrong: &dyn Fn(&Server) -> bool| {
        let server = servers.iter().position(is_wrong).unwrap();
        assert!(c::error_begins(&format!("server {server}: ")));
    };
    if status == KETAMA_EMPTY_NAME as c_int {
        at_fault(&|server| server.0.is_empty());
    } else if status == KETAMA_LONG_NAME as c_int {
        at_fault(&|server| server.0.len() > 1023);
    } else if status == KETAMA_ZERO_WEIGHT as c_int {
        at_fault(&|server| server.1 == 0);
    }
}

fn operations(
    ring: &Ring,
    model: &Model,
    servers: &[Server],
    rules: &ketama_rules,
    mut input: Input,
) {
    let new = (input.number(), input.text());
    let new = (new.1, new.0);
    let factor = match input.byte() {
        byte @ ..250 => 1.0 + f64::from(byte) / 64.0,
        _ => f64::from_bits(u64::from(input.word()) << 32),
    };
    let load: Vec<u64> = servers.iter().map(|_| input.number()).collect();
    let key = input.0;
    let (data, len) = (key.as_ptr().cast(), key.len());

    let owned: Vec<(Vec<u8>, u64)> = servers.iter().map(|one| (one.0.to_vec(), one.1)).collect();
    assert_eq!(ring.servers(), owned);
    let position = model.hash(key);
    let walk = model.walk(position);
    assert_eq!(ring.hash(key), position);
    assert_eq!(ring.find(key), walk[0]);
    let point = model.points[position as usize % model.points.len()].0;
    for position in [
        0,
        point.wrapping_sub(1),
        point,
        point.wrapping_add(1),
        u32::MAX,
    ] {
        assert_eq!(ring.find_hash(position), model.find_hash(position));
    }

    // SAFETY: a live ring, a key of this length, and lists of as many as the header says.
    unsafe {
        assert_eq!(
            ketama_ring_find_point(ring.0, data, len),
            model.point_of(position)
        );
        for max in [walk.len() / 2, walk.len(), servers.len()] {
            let mut walked = vec![u32::MAX; max];
            let count = ketama_ring_walk(ring.0, data, len, walked.as_mut_ptr(), max);
            assert_eq!(count, walk.len().min(max));
            assert!(
                walked[..count]
                    .iter()
                    .map(|&server| server as usize)
                    .eq(walk[..count].iter().copied())
            );
        }

        let alive: Vec<u8> = load.iter().map(|load| (load % 3) as u8).collect();
        let expected = walk.iter().find(|&&server| alive[server] != 0);
        let found = ketama_ring_find_alive(ring.0, data, len, alive.as_ptr());
        assert_eq!(found, expected.copied().unwrap_or(KETAMA_NONE));

        let found = ketama_ring_find_bounded(ring.0, data, len, load.as_ptr(), factor);
        if factor > 1.0 {
            let weight = |server: &usize| u128::from(model::weight(servers[*server].1, rules));
            let weights: u128 = walk.iter().map(weight).sum();
            let total: u128 = walk.iter().map(|&server| u128::from(load[server])).sum();
            let is_free = |server: &&usize| {
                let share = factor * (total + 1) as f64 * weight(server) as f64 / weights as f64;
                (load[**server] as f64) < share.ceil()
            };
            assert_eq!(found, *walk.iter().find(is_free).unwrap_or(&walk[0]));
        } else {
            assert_eq!(found, KETAMA_NONE);
        }

        for (server, positions) in model.positions(servers.len()).into_iter().enumerate() {
            assert_eq!(
                ketama_ring_share(ring.0, server),
                positions as f64 / 4294967296.0
            );
        }
        assert_eq!(ketama_ring_share(ring.0, servers.len()), -1.0);
    }

    let mut with = servers.to_vec();
    with.push(new);
    let names = c::names(&[new]);
    let list = c::list(&names, &[new]);
    // SAFETY: a live ring and a server.
    changed(&with, rules, |out| unsafe {
        ketama_ring_with_server(ring.0, list.as_ptr(), out)
    });

    let left_out = servers[load[0] as usize % servers.len()].0;
    let mut without = servers.to_vec();
    without.retain(|server| server.0 != left_out);
    let name = CString::new(left_out).unwrap();
    // SAFETY: a live ring and a string ended by a NUL.
    changed(&without, rules, |out| unsafe {
        ketama_ring_without_server(ring.0, name.as_ptr(), out)
    });
    if !servers.iter().any(|server| server.0 == new.0) {
        // SAFETY: the same.
        let made =
            Ring::from(|out| unsafe { ketama_ring_without_server(ring.0, names[0].as_ptr(), out) });
        assert_eq!(made.err(), Some(KETAMA_UNKNOWN_SERVER as c_int));
    }
}

/// Checks a ring that is made from another against the servers that it is to have.
fn changed(
    servers: &[Server],
    rules: &ketama_rules,
    make: impl FnOnce(*mut *mut ketama_ring) -> ketama_status,
) {
    let errors = model::errors(servers, rules);
    if errors.is_empty() && model::count(servers, rules) > MANY_POINTS {
        return;
    }
    match Ring::from(make) {
        Ok(ring) => {
            assert!(errors.is_empty(), "{errors:?}");
            assert!(ring.points() == Model::new(servers, rules).points);
        }
        Err(status) => assert!(errors.contains(&status), "{status}, not {errors:?}"),
    }
}
