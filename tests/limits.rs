//! What is as large as it may be: weights, lists of servers, names and keys.

mod common;
mod model;

use common::{
    Program, Random, available_memory, folder, hex, must, not_run, original, reference, report,
    seed,
};
use ketama::dialect::{Count, ZeroWeight};
use ketama::{Dialect, Error, Ring, Server};
use md5::{Digest, Md5};
use model::Model;
use std::process::Command;

/// Every power of two and one beside, in lists with heavier, lighter and equal servers.
#[test]
fn weights_at_every_power_of_two_and_one_beside_agree_with_the_model() {
    let (mut made, mut refused, mut too_large) = (0, 0, 0);
    for &dialect in Dialect::ALL {
        for list in lists(&weights()) {
            let servers: Vec<Server<String>> = list
                .iter()
                .enumerate()
                .map(|(i, &weight)| Server {
                    name: format!("10.0.0.{i}:11211"),
                    weight,
                })
                .collect();
            let expected = expected(dialect, &list);
            // Its points are as many as the weights say.
            let is_heavy = list.iter().any(|&weight| weight > 1 << 10);
            if expected.is_ok() && dialect.rules().count == Count::TimesWeight && is_heavy {
                too_large += 1;
                continue;
            }
            let ring = Ring::with_dialect(&servers, dialect);
            if let Err(error) = expected {
                assert_eq!(ring.err(), Some(error), "{dialect}: {list:?}");
                refused += 1;
                continue;
            }
            let ring = ring.unwrap();
            let list: Vec<(&str, u64)> = servers.iter().map(|s| (&*s.name, s.weight)).collect();
            let model = Model::new(dialect.name(), &list);
            let points = ring.points().map(|p| (p.point, p.server as usize));
            assert!(
                points.eq(model.points.iter().copied()),
                "{dialect}: {list:?}"
            );
            for key in ["", "foo", "10.0.0.0:11211-0"] {
                let found = ring.find(key);
                assert_eq!(found, model.find(key.as_bytes()), "{dialect}: {list:?}");
            }
            made += 1;
        }
    }
    report(&format!(
        "limits: weights at every power of two: {made} rings agree with the model, {refused} are \
         refused as they should, {too_large} of nginx were too large to make"
    ));
}

fn weights() -> Vec<u64> {
    let beside = |power: u32| {
        let weight = 1u64 << power;
        [weight - 1, weight, weight + 1]
    };
    let mut weights: Vec<u64> = (0..64).flat_map(beside).chain([u64::MAX]).collect();
    weights.dedup();
    weights
}

fn lists(weights: &[u64]) -> Vec<Vec<u64>> {
    let with = |&w: &u64| {
        [
            vec![w],
            vec![w, 1],
            vec![1, w, 1000],
            vec![w, w],
            vec![w / 2, w, w / 3 + 1],
            vec![1 << 62, w],
        ]
    };
    weights.iter().flat_map(with).collect()
}

/// Whether these weights make a ring, or why not.
fn expected(dialect: Dialect, weights: &[u64]) -> Result<(), Error> {
    let rules = dialect.rules();
    if rules.is_weightless() {
        return Ok(());
    }
    let effective = weights.iter().map(|&weight| match rules.zero_weight {
        ZeroWeight::CountsOne => weight.max(1),
        _ => weight,
    });
    let effective: Vec<u128> = effective.map(u128::from).collect();
    let zero = effective.iter().position(|&weight| weight == 0);
    if let (Some(server), true) = (zero, rules.zero_weight == ZeroWeight::Refused) {
        return Err(Error::ZeroWeight { server });
    }
    let first_above = |limit: u128| {
        let sums = effective.iter().scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        sums.into_iter().position(|sum| sum > limit)
    };
    if let Some(server) = first_above(u64::MAX.into()) {
        return Err(Error::WeightSum { server });
    }
    if effective.iter().sum::<u128>() == 0 {
        return Err(Error::NoPoints);
    }
    match first_above(i32::MAX as u128 / u128::from(rules.base)) {
        Some(server) if rules.count == Count::TimesWeight => Err(Error::TooManyPoints { server }),
        _ => Ok(()),
    }
}

/// As files write them: negative ones are taken as 2^64 less their size.
#[test]
fn weights_in_files_give_the_originals_points() {
    let folder = folder("weights");
    let dump = Program::new(&folder, "dump.c");
    let reference = reference();
    if reference.is_none() {
        not_run(
            "weights in files against the original",
            "KETAMA_REFERENCE names no original (make test builds one)",
        );
    }
    let (mut made, mut refused) = (0, 0);
    let mut random = Random(seed());
    for weight in weights() {
        for sign in ["", "-"] {
            let text = format!("{sign}{weight}");
            let strtol: Option<i64> = text.parse().ok();
            for others in [&[][..], &[1000], &[1 << 62, 1]] {
                // A sum that wraps crashed the original.
                let sum = others
                    .iter()
                    .fold(strtol.unwrap_or(0) as u64 as u128, |sum, &w| sum + w);
                let is_ring = strtol.is_some_and(|weight| weight != 0) && sum < 1 << 64;
                let mut file = format!("10.0.0.1:11211\t{text}\n");
                for (i, weight) in others.iter().enumerate() {
                    file += &format!("10.0.0.{}:11211\t{weight}\n", i + 2);
                }
                let path = folder.join("servers");
                std::fs::write(&path, &file).unwrap();
                let ours = must(dump.command().arg(&path)).stdout;
                let is_good = ours.starts_with(b"rolled 1\nerror \n");
                assert_eq!(is_good, is_ring, "{file}");
                if !is_good {
                    refused += 1;
                    continue;
                }
                made += 1;
                let Some(reference) = &reference else {
                    continue;
                };
                let theirs = original(&dump, reference, &path, &mut random, b"");
                assert!(ours == theirs, "{file}");
            }
        }
    }
    report(&format!(
        "limits: weights at every power of two in files: {made} rolled, {refused} refused"
    ));
}

#[test]
fn names_of_every_byte_agree_with_the_model() {
    let bytes = 0..=u8::MAX;
    let names = bytes.flat_map(|b| [vec![b], vec![b'x', b, b'y'], vec![b, b':', b'1', b]]);
    let servers: Vec<Server<Vec<u8>>> = names.map(|name| Server { name, weight: 1 }).collect();
    let list: Vec<(&[u8], u64)> = servers.iter().map(|s| (&*s.name, s.weight)).collect();
    for &dialect in Dialect::ALL {
        let ring = Ring::with_dialect(&servers, dialect).unwrap();
        let model = Model::new(dialect.name(), &list);
        let points = ring.points().map(|p| (p.point, p.server as usize));
        assert!(points.eq(model.points.iter().copied()), "{dialect}");
        for byte in 0..=u8::MAX {
            let key = [byte, b'k', byte];
            assert_eq!(ring.find(key), model.find(&key), "{dialect}: {byte}");
        }
    }
}

#[test]
fn names_of_every_byte_and_length_are_taken_or_refused() {
    let folder = folder("names");
    let program = Program::new(&folder, "limits.c");
    report_all(program.command().arg("names").current_dir(&folder));
}

#[test]
fn more_points_than_an_int_counts_are_an_error_of_its_own() {
    let folder = folder("points");
    let program = Program::new(&folder, "limits.c");
    must(program.command().arg("points").current_dir(&folder));
}

#[test]
fn a_million_servers_are_a_ring_in_every_dialect() {
    const WANTS: u64 = 9 << 30;
    let has = available_memory();
    if has < WANTS {
        let why = format!("it wants {WANTS} bytes of memory, and {has} are available");
        return not_run("a million servers", &why);
    }
    let folder = folder("servers");
    let program = Program::new(&folder, "limits.c");
    let arguments = ["servers", "1000000"];
    report_all(program.command().args(arguments).current_dir(&folder));
}

/// A key of 4 GB and 1 byte, in memory that is mapped again and again.
#[test]
fn keys_of_no_byte_and_of_4_gb_are_hashed_whole() {
    const BLOCK: usize = 1 << 26;
    const BLOCKS: usize = (1 << 32) / BLOCK;
    let folder = folder("keys");
    let program = Program::new(&folder, "limits.c");
    let seed = seed();
    let mut command = program.command();
    let command = command.args(["keys", &seed.to_string()]);
    let (output, mut expected) = std::thread::scope(|scope| {
        let output = scope.spawn(|| must(command.current_dir(&folder)).stdout);
        let mut state = seed;
        let block: Vec<u8> = (0..BLOCK)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                ((state >> 56) % 255 + 1) as u8
            })
            .collect();
        let whole = || std::iter::repeat_n(&block[..], BLOCKS).chain([&b"x"[..]]);
        let middle = std::iter::repeat_n(&block[..], BLOCKS - 2);
        let packed = [&block[5..]]
            .into_iter()
            .chain(middle)
            .chain([&block[..BLOCK - 1]]);
        let (digest, packed) = (md5(whole()), md5(packed));
        let word = |digest: &[u8]| u32::from_le_bytes(digest[..4].try_into().unwrap());
        let servers: Vec<Server<String>> = (0..100)
            .map(|i| Server {
                name: format!("10.0.0.{i}:11211"),
                weight: 1,
            })
            .collect();
        let ring = Ring::new(&servers).unwrap();
        let three = Ring::new(&servers[1..4]).unwrap();
        let point = three.points().nth(three.point_of(word(&digest))).unwrap();
        let [one_at_a_time, fnv, crc] = bytewise(whole());
        let expected = [
            format!("md5 {}", word(&digest)),
            format!("string {}", point.point),
            format!("digest {}", hex(&digest)),
            format!("packed {}", ring.find_hash(word(&packed))),
            format!("libmemcached {one_at_a_time}"),
            format!("twemproxy {fnv}"),
            format!("dalli {crc}"),
        ];
        (output.join().unwrap(), expected)
    });
    let output = String::from_utf8(output).unwrap();
    let mut lines: Vec<&str> = output.lines().collect();
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
    report("limits: keys of 0 bytes and of 4,294,967,297 go where plain hashes of them say");
}

fn md5<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut md5 = Md5::new();
    parts.for_each(|part| md5.update(part));
    md5.finalize().to_vec()
}

/// One-at-a-time, FNV and CRC-32, told plainly, in one pass.
fn bytewise<'a>(parts: impl Iterator<Item = &'a [u8]>) -> [u32; 3] {
    let table: [u32; 256] = std::array::from_fn(|byte| {
        (0..8).fold(byte as u32, |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    });
    let (mut one, mut fnv, mut crc) = (0u32, 0x8422_2325u32, !0u32);
    for part in parts {
        for &byte in part {
            one = one.wrapping_add(byte as i8 as u32);
            one = one.wrapping_add(one << 10);
            one ^= one >> 6;
            fnv = (fnv ^ byte as i8 as u32).wrapping_mul(0x1b3);
            crc = (crc >> 8) ^ table[(crc as u8 ^ byte) as usize];
        }
    }
    one = one.wrapping_add(one << 3);
    one ^= one >> 11;
    [one.wrapping_add(one << 15), fnv, !crc]
}

/// Runs a program that prints what it did.
fn report_all(command: &mut Command) {
    let output = String::from_utf8(must(command).stdout).unwrap();
    output.lines().for_each(report);
}
