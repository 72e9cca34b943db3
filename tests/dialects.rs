//! Dialects: the recorded runs of the real clients, and random lists against their rules told plainly.

mod common;
mod model;

use common::{Random, hex, report, seed, unescape};
use ketama::{Dialect, Ring, Server};
use md5::{Digest, Md5};
use model::Model;

struct Case<'a> {
    dialect: Dialect,
    name: &'a str,
    servers: Vec<Server<&'a str>>,
    /// Their number, and the MD5 of their list; `None` where the client hides them.
    points: Option<(&'a str, &'a str)>,
    /// Numbers of keys, and indexes of servers.
    owners: Vec<(usize, usize)>,
}

#[test]
fn every_recorded_run_gives_the_clients_points_and_owners() {
    let (keys, cases) = recorded();
    assert_eq!(cases.len(), 93);
    for &dialect in Dialect::ALL {
        let (mut runs, mut keys_agreed, mut points_agreed) = (0, 0, 0);
        for case in cases.iter().filter(|case| case.dialect == dialect) {
            let ring = Ring::with_dialect(&case.servers, dialect).unwrap();
            if let Some(expected) = case.points {
                let list: String = ring
                    .points()
                    .map(|point| format!("{} {}\n", point.point, point.server))
                    .collect();
                let count = ring.points().len();
                let md5 = hex(&Md5::digest(list));
                assert_eq!(
                    (&*count.to_string(), &*md5),
                    expected,
                    "{dialect} {}",
                    case.name
                );
                points_agreed += count;
            }
            for &(key, owner) in &case.owners {
                assert_eq!(
                    ring.find(&keys[key]),
                    owner,
                    "{dialect} {}: key {key}",
                    case.name
                );
            }
            assert_eq!(case.owners.len(), 520);
            runs += 1;
            keys_agreed += case.owners.len();
        }
        assert!(runs > 0, "nobody has recorded {dialect}");
        // nginx shows no points; its keys were chosen to lie on them.
        report(&format!(
            "{dialect:<22} {runs} recorded runs, {keys_agreed} keys and {points_agreed} points agree"
        ));
    }
}

fn recorded() -> (Vec<Vec<u8>>, Vec<Case<'static>>) {
    let mut keys = Vec::new();
    let mut cases: Vec<Case> = Vec::new();
    for line in include_str!("data/dialects.txt").lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" | "#" | "source" => {}
            "key" => keys.push(unescape(rest)),
            "case" => {
                let (dialect, name) = rest.split_once(' ').unwrap();
                cases.push(Case {
                    dialect: dialect.parse().unwrap(),
                    name,
                    servers: Vec::new(),
                    points: None,
                    owners: Vec::new(),
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
            "points" => cases.last_mut().unwrap().points = rest.split_once(' '),
            "owner" => {
                let mut numbers = rest
                    .split(' ')
                    .map(|number| number.parse::<usize>().unwrap());
                let owner = numbers.next().unwrap();
                // One more than the number of the key before.
                let mut next = 0;
                for gap in numbers {
                    next += gap;
                    cases.last_mut().unwrap().owners.push((next - 1, owner));
                }
            }
            _ => panic!("{line}"),
        }
    }
    (keys, cases)
}

#[test]
fn random_lists_agree_with_the_model() {
    let mut random = Random(seed());
    for &dialect in Dialect::ALL {
        let (mut on, mut below, mut above) = (0, 0, 0);
        for round in 0..500 {
            let servers = servers(&mut random, dialect);
            let ring = Ring::with_dialect(&servers, dialect)
                .unwrap_or_else(|error| panic!("{dialect}, round {round}: {error}: {servers:?}"));
            let list: Vec<(&str, u64)> = servers.iter().map(|s| (&*s.name, s.weight)).collect();
            let model = Model::new(dialect.name(), &list);
            let points: Vec<(u32, usize)> = ring
                .points()
                .map(|p| (p.point, p.server as usize))
                .collect();
            assert!(
                points == model.points,
                "{dialect}, round {round}: {servers:?}"
            );

            let first = points[0].0;
            let last = points[points.len() - 1].0;
            let mut check = |key: &[u8]| {
                let position = ring.hash(key);
                assert_eq!(
                    position,
                    model.hash(key),
                    "{dialect}, round {round}: {key:?}"
                );
                assert_eq!(
                    ring.find(key),
                    model.find(key),
                    "{dialect}, round {round}: {key:?}"
                );
                assert_eq!(ring.find_point(key), model.point_of(position), "{dialect}");
                on += usize::from(points.binary_search_by_key(&position, |p| p.0).is_ok());
                below += usize::from(position < first);
                above += usize::from(position > last);
            };
            for _ in 0..40 {
                let len = random.in_range(0, 60);
                let key: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
                check(&key);
            }
            // Node strings, whose hash is a point where both use one hash.
            for server in servers.iter().take(5) {
                for k in 0..3 {
                    check(format!("{}-{k}", server.name).as_bytes());
                }
            }
            // Positions that no key need have: on every kind of border.
            let borders = [
                0,
                1,
                first.wrapping_sub(1),
                first,
                last,
                last.wrapping_add(1),
                u32::MAX,
            ];
            let some = points.iter().step_by(points.len() / 50 + 1).map(|p| p.0);
            for position in some
                .flat_map(|p| [p.wrapping_sub(1), p, p.wrapping_add(1)])
                .chain(borders)
            {
                assert_eq!(
                    ring.find_hash(position),
                    model.find_hash(position),
                    "{dialect}, {position}"
                );
            }
        }
        println!(
            "{dialect}: {on} keys on a point, {below} below the first, {above} above the last"
        );
        assert!(below > 0 && above > 0, "{dialect}");
    }
}

/// 1 to 200 servers: names with and without ports, IPv6, sockets and resolved names, some of them twice, and weights
/// of all sizes, 0 where it is allowed.
fn servers(random: &mut Random, dialect: Dialect) -> Vec<Server<String>> {
    let count = match random.in_range(0, 3) {
        0 => random.in_range(1, 3),
        1 => random.in_range(1, 20),
        _ => random.in_range(1, 200),
    };
    let rules = dialect.rules();
    // The first never where it takes another to have points.
    let first_zero = match rules.zero_weight {
        _ if rules.is_weightless() => 0,
        ketama::dialect::ZeroWeight::Refused => u64::MAX,
        ketama::dialect::ZeroWeight::CountsOne => 0,
        ketama::dialect::ZeroWeight::NoPoints => 1,
    };
    let most = match rules.count {
        // Its points grow with the weight itself.
        ketama::dialect::Count::TimesWeight => 5,
        _ => 10u64.pow(random.in_range(0, 9) as u32),
    };
    let mut servers: Vec<Server<String>> = Vec::new();
    for i in 0..count {
        let (a, b) = (random.in_range(0, 255), random.in_range(0, 255));
        let name = match random.in_range(0, 13) {
            0 => format!("10.0.{a}.{b}"),
            1 => format!("10.0.{a}.{b}:11212"),
            2 => format!("[2001:db8::{a:x}:{b:x}]:11211"),
            3 => format!("2001:db8::{a:x}:{b}"),
            4 => format!("cache-{a}.example.com:11211"),
            5 => format!("cache-{a}.example.com/10.0.{a}.{b}:11211"),
            6 => format!("/10.0.{a}.{b}:11211"),
            7 => format!("/var/run/memcached-{a}.sock"),
            8 => format!("mc{a}:port{b}"),
            9 => format!("h{a}:"),
            11 => format!("//10.0.{a}.{b}:{b}"),
            12 => ":11211".to_owned(),
            10 if i > 0 => servers[random.in_range(0, i - 1) as usize].name.clone(),
            _ => format!("10.0.{a}.{b}:11211"),
        };
        let weight = if i >= first_zero && random.in_range(0, 9) == 0 {
            0
        } else {
            random.in_range(1, most)
        };
        servers.push(Server { name, weight });
    }
    servers
}
