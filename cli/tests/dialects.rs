//! Keys go where the recorded runs of the real clients sent them.

mod common;

use common::{folder, ketama, rows, unescape};
use ketama::{Dialect, Ring, Server};
use std::collections::BTreeMap;
use std::fs;

struct Case<'a> {
    dialect: &'a str,
    name: &'a str,
    servers: Vec<Server<&'a str>>,
    /// The server of each key, by their numbers.
    owners: BTreeMap<usize, usize>,
}

#[test]
fn every_recorded_key_goes_where_the_client_sent_it() {
    let (keys, cases) = recorded();
    assert_eq!(cases.len(), 93);
    let folder = folder("dialects");
    let path = folder.join("servers");
    // Keys end with a NUL here, since they may hold anything else.
    let input: Vec<u8> = keys
        .iter()
        .flat_map(|key| [key, &b"\0"[..]].concat())
        .collect();
    for case in cases {
        let text = case
            .servers
            .iter()
            .map(|server| format!("{}\t{}\n", server.name, server.weight));
        fs::write(&path, text.collect::<String>()).unwrap();
        let mut command = ketama("get --null --format csv -s");
        command
            .arg(&path)
            .args(["-d", case.dialect])
            .write_stdin(&*input);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{} {}: {output:?}",
            case.dialect,
            case.name
        );
        let rows = rows(&output.stdout);
        assert_eq!(rows.len(), keys.len(), "{} {}", case.dialect, case.name);

        let ring = Ring::with_dialect(&case.servers, case.dialect.parse().unwrap()).unwrap();
        let points: Vec<u32> = ring.points().map(|point| point.point).collect();
        for (number, (row, key)) in rows.iter().zip(&keys).enumerate() {
            let numbers =
                [ring.hash(key), points[ring.find_point(key)]].map(|n| n.to_string().into_bytes());
            assert_eq!(row[0], *key);
            assert_eq!(row[1..3], numbers);
            if let Some(&owner) = case.owners.get(&number) {
                let name = case.servers[owner].name.as_bytes();
                assert_eq!(row[3], name, "{} {}: key {number}", case.dialect, case.name);
            }
        }
        assert_eq!(case.owners.len(), 520);
    }
}

fn recorded() -> (Vec<Vec<u8>>, Vec<Case<'static>>) {
    let mut keys = Vec::new();
    let mut cases: Vec<Case> = Vec::new();
    for line in include_str!("../../tests/data/dialects.txt").lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "key" => keys.push(unescape(rest)),
            "case" => {
                let (dialect, name) = rest.split_once(' ').unwrap();
                cases.push(Case {
                    dialect,
                    name,
                    servers: Vec::new(),
                    owners: BTreeMap::new(),
                });
            }
            "server" => {
                let (weight, name) = rest.split_once(' ').unwrap();
                let weight = weight.parse().unwrap();
                cases
                    .last_mut()
                    .unwrap()
                    .servers
                    .push(Server { name, weight });
            }
            "owner" => {
                let mut numbers = rest
                    .split(' ')
                    .map(|number| number.parse::<usize>().unwrap());
                let owner = numbers.next().unwrap();
                // One more than the number of the key before.
                let mut next = 0;
                for gap in numbers {
                    next += gap;
                    cases.last_mut().unwrap().owners.insert(next - 1, owner);
                }
            }
            _ => {}
        }
    }
    (keys, cases)
}

/// A list of servers for each dialect, on which `which` is to find that dialect again.
#[test]
fn which_finds_every_dialect_again() {
    let folder = folder("which");
    let samples = folder.join("samples");
    let names = [
        "10.0.0.1:11211=3",
        "10.0.0.2:11212=1",
        "10.0.0.3:11211=2",
        "/10.0.0.4:11213=2",
    ];
    let keys: Vec<String> = (0..2000).map(|key| format!("key {key}")).collect();
    for &dialect in Dialect::ALL {
        let mut command = ketama("get --format csv -s");
        command.arg(names.join(",")).args(["-d", dialect.name()]);
        let output = command.write_stdin(keys.join("\n")).output().unwrap();
        let lines = rows(&output.stdout)
            .into_iter()
            .map(|row| [&*row[0], &row[3]].join(&b"\t"[..]));
        fs::write(&samples, lines.collect::<Vec<_>>().join(&b'\n')).unwrap();
        let mut command = ketama("which --format json -s");
        let output = command
            .arg(names.join(","))
            .arg("--samples")
            .arg(&samples)
            .output()
            .unwrap();
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["rings"][0]["agreement"], 1.0, "{dialect}");
        let best: Vec<&str> = found["best"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap())
            .collect();
        assert!(best.contains(&dialect.name()), "{dialect}: {best:?}");
        assert_eq!(found["samples"], 2000);
    }
}
