//! Agreement with the original, run side by side: one program, compiled once, against either library.

mod common;

use common::{
    Program, Random, SERVERS, assert_nothing_left_behind, folder, hex, must, must_with, not_run,
    original, reference, seed,
};
use md5::{Digest, Md5};
use std::fs;

const NO_REFERENCE: &str = "KETAMA_REFERENCE names no original (make test builds one)";

#[test]
fn a_million_keys_go_where_the_original_sends_them() {
    let program = Program::new(&folder("known_answer"), "known_answer.c");
    let ours = must(program.command().arg(SERVERS)).stdout;
    assert_eq!(hex(&Md5::digest(&ours)), "5672b131391f5aa2b280936aec1eea74");
    let Some(reference) = reference() else {
        return not_run("the known answer against the original", NO_REFERENCE);
    };
    let theirs = must(program.command_with(&reference).arg(SERVERS)).stdout;
    assert!(ours == theirs, "the reference's output differs");
}

#[test]
fn random_files_give_the_originals_points_and_lookups() {
    let Some(reference) = reference() else {
        return not_run("random files against the original", NO_REFERENCE);
    };
    let folder = folder("random_files");
    let dump = Program::new(&folder, "dump.c");
    let mut random = Random(seed());
    for round in 0..300 {
        // Every number of servers at least once.
        let count = if round < 117 {
            round + 1
        } else {
            random.in_range(1, 117) as usize
        };
        let servers = servers(&mut random, count);
        let text: String = servers
            .iter()
            .map(|(name, weight)| format!("{name}\t{weight}\n"))
            .collect();
        let keys = keys(&mut random, &servers);
        let path = folder.join(format!("{round}.servers"));
        fs::write(&path, &text).unwrap();
        let theirs = original(&dump, &reference, &path, &mut random, keys.as_bytes());
        assert_nothing_left_behind(&path);

        let ours = must_with(dump.command().arg(&path), keys.as_bytes()).stdout;
        let lines = |output| String::from_utf8(output).unwrap();
        let (ours, theirs) = (lines(ours), lines(theirs));
        let difference = ours
            .lines()
            .zip(theirs.lines())
            .find(|(ours, theirs)| ours != theirs);
        assert_eq!(difference, None, "{}", path.display());
        assert_eq!(ours.len(), theirs.len(), "{}", path.display());
        assert!(ours.starts_with("rolled 1\nerror \n"), "{}", path.display());
        let keys_on_points = ours
            .lines()
            .filter_map(|line| line.strip_prefix("key "))
            .filter(|key| {
                let fields: Vec<_> = key.split(' ').collect();
                fields[0] == fields[2]
            });
        assert!(keys_on_points.count() >= 39, "{}", path.display());
    }
}

/// Names of 1 to 23 bytes, and weights from all equal to nine orders of magnitude apart.
fn servers(random: &mut Random, count: usize) -> Vec<(String, u64)> {
    let orders = random.in_range(0, 9) as u32;
    let equal = random.in_range(1, 1_000_000_000);
    (0..count)
        .map(|_| {
            let len = random.in_range(1, 23);
            let mut name: String = (0..len)
                .map(|_| char::from(random.in_range(0x21, 0x7e) as u8))
                .collect();
            if name.starts_with('#') {
                name.replace_range(..1, "x");
            }
            let weight = match orders {
                0 => equal,
                _ => {
                    let order = 10u64.pow(random.in_range(1, orders.into()) as u32);
                    random.in_range(1, order)
                }
            };
            (name, weight)
        })
        .collect()
}

/// 2,000 keys, a line each: node strings, which hash exactly onto a point, and text of 0 to 200 bytes.
fn keys(random: &mut Random, servers: &[(String, u64)]) -> String {
    let heaviest = servers.iter().max_by_key(|(_, weight)| weight).unwrap();
    let mut keys: Vec<String> = (0..40).map(|k| format!("{}-{k}", heaviest.0)).collect();
    for _ in 0..460 {
        let (name, _) = &servers[random.in_range(0, servers.len() as u64 - 1) as usize];
        keys.push(format!("{name}-{}", random.in_range(0, 39)));
    }
    while keys.len() < 2000 {
        let len = random.in_range(0, 200);
        keys.push(
            (0..len)
                .map(|_| char::from(random.in_range(0x20, 0x7e) as u8))
                .collect(),
        );
    }
    keys.join("\n") + "\n"
}
