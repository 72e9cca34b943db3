//! Walks, failover, bounded load, shares, comparisons and changed rings, for every dialect.

mod common;

use common::{Random, report, seed};
use ketama::dialect::{Count, Lookup};
use ketama::{Dialect, Error, Point, Ring, Rules, Server};
use std::collections::BTreeSet;

/// Rings of 1 to 40 servers with weights of very different sizes, some servers listed twice.
fn each_ring(mut test: impl FnMut(&Ring, &mut Random)) {
    let mut random = Random(seed());
    for &dialect in Dialect::ALL {
        for _ in 0..25 {
            let count = random.in_range(1, 40);
            let most = match dialect.rules().count {
                Count::TimesWeight => 4,
                _ => 10u64.pow(random.in_range(0, 5) as u32),
            };
            let servers: Vec<Server<String>> = (0..count)
                .map(|_| Server {
                    name: format!(
                        "10.0.0.{}:1121{}",
                        random.in_range(1, 60),
                        random.in_range(1, 2)
                    ),
                    weight: random.in_range(1, most),
                })
                .collect();
            test(&Ring::with_dialect(&servers, dialect).unwrap(), &mut random);
        }
    }
}

fn keys() -> impl Iterator<Item = String> {
    (0..200).map(|i| format!("key:{i}"))
}

fn with_points(ring: &Ring) -> BTreeSet<usize> {
    ring.points().map(|point| point.server as usize).collect()
}

#[test]
fn keys_that_fall_on_points_go_the_same_way_in_bulk() {
    let servers: Vec<Server<String>> = (1..=10)
        .map(|i| Server {
            name: format!("10.0.0.{i}:11211"),
            weight: 1,
        })
        .collect();
    // A node's string as key falls on its first point.
    let names = servers.iter().map(|server| &server.name);
    let keys: Vec<String> = names
        .flat_map(|name| (0..40).map(move |k| format!("{name}-{k}")))
        .collect();
    for lookup in [Lookup::AtOrAfter, Lookup::After, Lookup::AtOrBefore] {
        let rules = Rules {
            lookup,
            ..*Dialect::Libketama.rules()
        };
        let ring = Ring::with_rules(&servers, &rules).unwrap();
        let points: Vec<Point> = ring.points().collect();
        let expected: Vec<u32> = keys
            .iter()
            .map(|key| {
                let position = ring.hash(key);
                let at = points
                    .iter()
                    .position(|point| point.point == position)
                    .unwrap();
                let after = points[(at + 1) % points.len()].server;
                match lookup {
                    Lookup::After => after,
                    _ => points[at].server,
                }
            })
            .collect();
        assert_eq!(ring.find_many(&keys), expected, "{lookup:?}");
    }
}

#[test]
fn a_walk_meets_every_server_with_points_once_and_finds_the_keys_first() {
    each_ring(|ring, _| {
        let points: Vec<_> = ring.points().collect();
        for key in keys().take(20) {
            let walk: Vec<usize> = ring.walk(key.as_bytes()).collect();
            assert_eq!(walk[0], ring.find(&key));
            let distinct: BTreeSet<usize> = walk.iter().copied().collect();
            assert_eq!(distinct.len(), walk.len());
            assert_eq!(distinct, with_points(ring));

            // The same told plainly: the owners of the points in their order, each at its first place.
            let position = ring.hash(&key);
            let is_back = ring.rules().lookup == Lookup::AtOrBefore;
            let at = |point: u32| match ring.rules().lookup {
                Lookup::AtOrAfter => point >= position,
                Lookup::After => point > position,
                Lookup::AtOrBefore => point <= position,
            };
            let mut order: Vec<_> = points.clone();
            if is_back {
                order.reverse();
            }
            let first = order.iter().position(|point| at(point.point)).unwrap_or(0);
            order.rotate_left(first);
            let mut plain: Vec<usize> = Vec::new();
            for point in order {
                if !plain.contains(&(point.server as usize)) {
                    plain.push(point.server as usize);
                }
            }
            assert_eq!(walk, plain);
        }
    });
}

#[test]
fn many_keys_go_where_each_goes() {
    each_ring(|ring, _| {
        let keys: Vec<String> = keys().chain(["".into()]).collect();
        let one_by_one: Vec<u32> = keys.iter().map(|key| ring.find(key) as u32).collect();
        assert_eq!(ring.find_many(&keys), one_by_one);
        let mut offsets = vec![0];
        for key in &keys {
            offsets.push(offsets[offsets.len() - 1] + key.len() as u32);
        }
        let bytes = keys.concat();
        assert_eq!(
            ring.find_packed(bytes.as_bytes(), &offsets).unwrap(),
            one_by_one
        );
        let positions: Vec<u32> = keys.iter().map(|key| ring.hash(key)).collect();
        assert_eq!(ring.hash_many(&keys), positions);
        for (key, position) in keys.iter().zip(positions) {
            assert_eq!(ring.point_of(position), ring.find_point(key));
        }
        assert_eq!(ring.find_packed(b"", &[]), Ok(vec![]));
        assert_eq!(
            ring.find_packed(b"abc", &[0, 1, 4]),
            Err(Error::Offsets { key: 1 })
        );
        assert_eq!(
            ring.find_packed(b"abc", &[0, 2, 1]),
            Err(Error::Offsets { key: 1 })
        );
    });
}

#[test]
fn a_server_that_is_down_moves_its_own_keys_alone() {
    each_ring(|ring, random| {
        let down = random.in_range(0, ring.servers().len() as u64 - 1) as usize;
        for key in keys() {
            let before = ring.find(&key);
            let after = ring.find_alive(&key, |server| server != down);
            let walked = ring.walk(key.as_bytes()).find(|&server| server != down);
            assert_eq!(after, walked);
            if before != down {
                assert_eq!(after, Some(before));
            }
        }
        assert_eq!(ring.find_alive("key", |_| false), None);
    });
}

#[test]
fn a_million_bounded_assignments_keep_every_bound() {
    let mut assigned = 0u64;
    let mut at_bound = 0u64;
    let mut rings = 0;
    each_ring(|ring, random| {
        let owners = with_points(ring);
        let weight = |server: usize| match ring.rules().is_weightless() {
            true => 1.0,
            false => ring.servers()[server].weight as f64,
        };
        let weights: f64 = owners.iter().map(|&server| weight(server)).sum();
        let factor = [1.0001, 1.1, 1.25, 2.0, 10.0][random.in_range(0, 4) as usize];
        let mut load = vec![0u64; ring.servers().len()];
        for total in 0..3400u64 {
            let key = format!("{rings}:{total}");
            let server = ring
                .find_bounded(&key, |server| load[server], factor)
                .unwrap();
            let bound = |server| (factor * (total + 1) as f64 * weight(server) / weights).ceil();
            assert!((load[server] as f64) < bound(server));
            for passed in ring
                .walk(key.as_bytes())
                .take_while(|&passed| passed != server)
            {
                assert!(load[passed] as f64 >= bound(passed));
                at_bound += 1;
            }
            load[server] += 1;
            assigned += 1;
        }
        for bad in [1.0, 0.5, -1.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(ring.find_bounded("key", |_| 0, bad), None);
        }
        assert_eq!(
            ring.find_bounded("key", |_| 7, f64::INFINITY),
            Some(ring.find("key"))
        );
        // Loads that a double cannot tell apart still give a server.
        assert!(
            ring.find_bounded("key", |_| u64::MAX, 1.0 + f64::EPSILON)
                .is_some()
        );
        rings += 1;
    });
    assert!(
        assigned >= 1_000_000 && at_bound > 10_000,
        "{assigned} {at_bound}"
    );
}

#[test]
fn bounds_count_servers_with_points_and_weights_as_the_rules_do() {
    // The first has no point: neither its weight nor its load counts.
    let servers =
        [("a", 1), ("b", 10_000), ("c", 10_000)].map(|(name, weight)| Server { name, weight });
    let ring = Ring::new(&servers).unwrap();
    assert_eq!(ring.share(0), 0.0);
    let first = ring.find("key");
    // ceil(1.5 * (2 + 1) / 2) is 3: with the load of `a` it would be more.
    let load = |of_first| {
        move |server: usize| match server {
            0 => 1000,
            _ if server == first => of_first,
            _ => 0,
        }
    };
    assert_eq!(ring.find_bounded("key", load(2), 1.5), Some(first));
    assert_eq!(ring.find_bounded("key", load(4), 1.5), Some(3 - first));

    // A weight of 0 that counts 1, and weights that do not count.
    for (dialect, weights) in [
        (Dialect::NpmHashring, [0, 1]),
        (Dialect::LibmemcachedMd5, [0, 1_000_000]),
    ] {
        let servers =
            [("a", weights[0]), ("b", weights[1])].map(|(name, weight)| Server { name, weight });
        let ring = Ring::with_dialect(&servers, dialect).unwrap();
        for key in keys() {
            assert_eq!(
                ring.find_bounded(&key, |_| 5, 1.5),
                Some(ring.find(&key)),
                "{dialect}"
            );
            assert_eq!(
                ring.find_bounded(&key, |server| 10 * server as u64, 1.5),
                Some(0),
                "{dialect}"
            );
        }
    }
}

#[test]
fn shares_are_those_of_the_arcs_between_the_points() {
    each_ring(|ring, _| {
        let sum: f64 = (0..ring.servers().len())
            .map(|server| ring.share(server))
            .sum();
        assert!((sum - 1.0).abs() < 1e-12);
        let owned = brute_force(ring, ring, |server, _| Some(server));
        for (server, positions) in owned.into_iter().enumerate() {
            assert_eq!(ring.share(server), positions as f64 / 4294967296.0);
        }
    });
}

#[test]
fn comparisons_are_exact() {
    let mut last: Option<Ring> = None;
    each_ring(|ring, _| {
        let itself = ring.compare(ring).unwrap();
        assert_eq!((itself.moved, itself.moves.len()), (0.0, 0));
        if let Some(other) = &last {
            if other.rules().key_hash != ring.rules().key_hash {
                assert_eq!(ring.compare(other), Err(Error::DifferentHashes));
            } else {
                let comparison = ring.compare(other).unwrap();
                let name = |ring: &Ring, server: usize| ring.servers()[server].name.clone();
                for from in 0..ring.servers().len() {
                    let to = brute_force(ring, other, |a, b| {
                        (a == from && name(ring, a) != name(other, b)).then_some(b)
                    });
                    for (to, positions) in to.into_iter().enumerate() {
                        let found = comparison
                            .moves
                            .iter()
                            .find(|one| (one.from as usize, one.to as usize) == (from, to));
                        let share = found.map_or(0.0, |one| one.share);
                        assert_eq!(share, positions as f64 / 4294967296.0);
                    }
                }
                let sum: f64 = comparison.moves.iter().map(|one| one.share).sum();
                assert!((sum - comparison.moved).abs() < 1e-12);
                assert!(comparison.moves.is_sorted_by_key(|one| (one.from, one.to)));
            }
        }
        last = Some(ring.clone());
    });
}

/// Positions by the server that `count` names, from every position at which either ring may change its mind.
fn brute_force(a: &Ring, b: &Ring, count: impl Fn(usize, usize) -> Option<usize>) -> Vec<u64> {
    let mut borders: BTreeSet<u64> = [0, 1 << 32].into();
    for ring in [a, b] {
        for point in ring.points() {
            borders.extend([u64::from(point.point), u64::from(point.point) + 1]);
        }
    }
    let borders: Vec<u64> = borders.into_iter().collect();
    let mut counts = vec![0; a.servers().len().max(b.servers().len())];
    for pair in borders.windows(2) {
        let position = pair[0] as u32;
        if let Some(server) = count(a.find_hash(position), b.find_hash(position)) {
            counts[server] += pair[1] - pair[0];
        }
    }
    counts
}

#[test]
fn a_changed_ring_equals_one_built_afresh() {
    let equal = |a: &Ring, b: &Ring| {
        a.servers() == b.servers() && a.rules() == b.rules() && a.points().eq(b.points())
    };
    each_ring(|ring, _| {
        let new = Server {
            name: "10.9.9.9:11211",
            weight: 3,
        };
        let with = ring.with_server(new).unwrap();
        let mut servers = ring.servers().to_vec();
        servers.push(Server {
            name: new.name.as_bytes().into(),
            weight: 3,
        });
        assert!(equal(
            &with,
            &Ring::with_rules(&servers, ring.rules()).unwrap()
        ));
        assert!(equal(&with.without_server(new.name).unwrap(), ring));

        let name = ring.servers()[0].name.clone();
        servers.retain(|server| server.name != name);
        let without = with.without_server(&name).unwrap();
        assert!(equal(
            &without,
            &Ring::with_rules(&servers, ring.rules()).unwrap()
        ));
        assert_eq!(
            ring.without_server("nobody").unwrap_err(),
            Error::UnknownServer
        );
    });
    let one = Ring::new(&[Server {
        name: "a",
        weight: 1,
    }])
    .unwrap();
    assert_eq!(one.without_server("a").unwrap_err(), Error::NoServers);
}

/// What the README says of the two ways to lose a server.
#[test]
fn passing_over_a_server_moves_fewer_keys_than_rebuilding_without_it() {
    let servers: Vec<Server<String>> = (1..=10)
        .map(|i| Server {
            name: format!("10.0.1.{i}:11211"),
            weight: 100 * i,
        })
        .collect();
    for dialect in [
        Dialect::Libketama,
        Dialect::LibmemcachedWeighted,
        Dialect::Libmemcached,
    ] {
        let ring = Ring::with_dialect(&servers, dialect).unwrap();
        let (mut passed, mut rebuilt) = (0.0, 0.0);
        for (down, server) in servers.iter().enumerate() {
            passed += ring.share(down) / 10.0;
            rebuilt += ring
                .compare(&ring.without_server(&server.name).unwrap())
                .unwrap()
                .moved
                / 10.0;
        }
        report(&format!(
            "{dialect}, one of 10 servers lost: {:.1}% of keys move when it is passed over, {:.1}% when \
             the ring is rebuilt",
            100.0 * passed,
            100.0 * rebuilt
        ));
        assert!(passed <= rebuilt + 1e-9);
    }
}
