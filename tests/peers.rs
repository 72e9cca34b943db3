//! Agreement with other clients that run here: libmemcached, and npm hashring.

mod common;

use common::{ROOT, Random, compiler, folder, must, must_with, not_run, report, seed};
use ketama::{Dialect, Ring, Server};
use std::path::{Path, PathBuf};
use std::process::Command;

const LISTS: usize = 200;
const KEYS: usize = 1000;

#[test]
fn libmemcached_sends_keys_to_the_same_servers() {
    if !Path::new("/usr/include/libmemcached/memcached.h").exists() {
        return not_run("libmemcached", "there is no libmemcached-dev");
    }
    let program = folder("libmemcached").join("libmemcached");
    must(
        compiler(&Path::new(ROOT).join("tests/peers/libmemcached.c"), "c99")
            .arg("-o")
            .arg(&program)
            .arg("-lmemcached"),
    );
    let mut random = Random(seed());
    for dialect in [
        Dialect::Libmemcached,
        Dialect::LibmemcachedMd5,
        Dialect::LibmemcachedWeighted,
    ] {
        for _ in 0..LISTS {
            // Debian's aborts above 100 servers.
            let servers = servers(&mut random, 100);
            let keys = keys(&mut random, &servers);
            let mut input = format!("{}\n", servers.len());
            for server in &servers {
                let (host, port) = server.name.rsplit_once(':').unwrap();
                input += &format!("{host} {port} {}\n", server.weight);
            }
            input += &keys.join("\n");
            input += "\n";
            let output = must_with(Command::new(&program).arg(dialect.name()), input.as_bytes());
            let ring = Ring::with_dialect(&servers, dialect).unwrap();
            let theirs = String::from_utf8(output.stdout).unwrap();
            let theirs: Vec<usize> = theirs.lines().map(|line| line.parse().unwrap()).collect();
            assert_eq!(theirs.len(), KEYS);
            for (key, theirs) in keys.iter().zip(theirs) {
                assert_eq!(ring.find(key), theirs, "{dialect}: {key:?} on {servers:?}");
            }
        }
        report(&format!(
            "{dialect:<22} {LISTS} lists of servers with {KEYS} keys each agree with libmemcached"
        ));
    }
}

#[test]
fn npm_hashring_sends_keys_to_the_same_servers() {
    let Some(modules) =
        std::env::var_os("KETAMA_NODE_MODULES").filter(|modules| !modules.is_empty())
    else {
        return not_run(
            "npm hashring",
            "KETAMA_NODE_MODULES names no node_modules (make test makes one)",
        );
    };
    let mut random = Random(seed());
    let dialect = Dialect::NpmHashring;
    let mut lists = Vec::new();
    let mut input = String::new();
    for _ in 0..LISTS {
        let servers = servers(&mut random, 100);
        let keys = keys(&mut random, &servers);
        let weights: Vec<String> = servers
            .iter()
            .map(|server| format!("{:?}: {}", server.name, server.weight))
            .collect();
        input += &format!(
            "{{\"servers\": {{{}}}, \"keys\": {keys:?}}}\n",
            weights.join(", ")
        );
        lists.push((servers, keys));
    }
    let output = must_with(
        Command::new("node")
            .arg(Path::new(ROOT).join("tests/peers/hashring.js"))
            .env("NODE_PATH", PathBuf::from(modules)),
        input.as_bytes(),
    );
    let output = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.lines().count(), LISTS);
    for ((servers, keys), line) in lists.iter().zip(output.lines()) {
        let ring = Ring::with_dialect(servers, dialect).unwrap();
        let theirs: Vec<&str> = line.trim_matches(['[', ']', '"']).split("\",\"").collect();
        assert_eq!(theirs.len(), KEYS);
        for (key, theirs) in keys.iter().zip(theirs) {
            let ours = &servers[ring.find(key)].name;
            assert_eq!(ours, theirs, "{key:?} on {servers:?}");
        }
    }
    report(&format!(
        "{dialect:<22} {LISTS} lists of servers with {KEYS} keys each agree with npm hashring"
    ));
}

/// Distinct servers, half of them on the default port.
fn servers(random: &mut Random, most: u64) -> Vec<Server<String>> {
    let count = random.in_range(1, most);
    let heaviest = 10u64.pow(random.in_range(0, 4) as u32);
    (0..count)
        .map(|i| Server {
            name: format!(
                "10.{}.0.{}:1121{}",
                random.in_range(0, 255),
                i + 1,
                random.in_range(1, 2)
            ),
            weight: random.in_range(1, heaviest),
        })
        .collect()
}

/// Words, and node strings, whose MD5 is a point.
fn keys(random: &mut Random, servers: &[Server<String>]) -> Vec<String> {
    (0..KEYS)
        .map(|i| match i % 4 {
            0 => {
                let server = &servers[random.in_range(0, servers.len() as u64 - 1) as usize];
                format!(
                    "{}-{}",
                    server.name.trim_end_matches(":11211"),
                    random.in_range(0, 39)
                )
            }
            _ => format!("key:{:x}", random.next() >> random.in_range(0, 60)),
        })
        .collect()
}
