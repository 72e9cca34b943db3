//! The Rust interface, and rings that are larger than the original can make.

use ketama::{Dialect, Error, Point, Ring, Server};
use md5::{Digest, Md5};

/// The rules told as plainly as can be.
struct Model(Vec<(u32, usize)>);

impl Model {
    fn new(servers: &[Server<String>]) -> Model {
        let total: u64 = servers.iter().map(|server| server.weight).sum();
        let mut points = Vec::new();
        for (index, server) in servers.iter().enumerate() {
            let share = server.weight as f32 / total as f32;
            let digests = ((share as f64 * 40.0 * servers.len() as f32 as f64) as f32).floor();
            for k in 0..digests as usize {
                let digest = Md5::digest(format!("{}-{k}", server.name));
                for word in digest.chunks(4) {
                    points.push((u32::from_le_bytes(word.try_into().unwrap()), index));
                }
            }
        }
        // Stable: of equal points the server listed first comes first.
        points.sort_by_key(|&(point, _)| point);
        Model(points)
    }

    fn find(&self, key: &str) -> usize {
        let digest = Md5::digest(key);
        let position = u32::from_le_bytes(digest[..4].try_into().unwrap());
        let next = self.0.iter().find(|(point, _)| *point >= position);
        next.unwrap_or(&self.0[0]).1
    }
}

fn agrees_with_the_model(servers: &[Server<String>], keys: usize) {
    let ring = Ring::new(servers).unwrap();
    let model = Model::new(servers);
    let points: Vec<(u32, usize)> = ring
        .points()
        .map(|Point { point, server }| (point, server as usize))
        .collect();
    assert!(points == model.0);
    for key in 0..keys {
        let key = format!("key:{key}");
        assert_eq!(ring.find(&key), model.find(&key), "{key}");
    }
    // A node string hashes exactly onto a point of its server.
    for server in servers.iter().take(20) {
        let key = format!("{}-0", server.name);
        assert_eq!(ring.find(&key), model.find(&key), "{key}");
    }
}

fn servers(count: u64, weight: impl Fn(u64) -> u64) -> Vec<Server<String>> {
    (0..count)
        .map(|i| Server {
            name: format!("10.{}.{}.{}:11211", i >> 16, i >> 8 & 255, i & 255),
            weight: weight(i),
        })
        .collect()
}

#[test]
fn a_thousand_servers_agree_with_the_model() {
    agrees_with_the_model(&servers(1000, |_| 100), 2000);
    agrees_with_the_model(&servers(1000, |i| 1 + i * i % 977), 2000);
}

#[test]
fn ten_thousand_servers_agree_with_the_model() {
    agrees_with_the_model(&servers(10_000, |i| 1 + i % 100), 1000);
}

#[test]
fn unequal_weights_from_1_to_2_pow_63_agree_with_the_model() {
    agrees_with_the_model(&servers(63, |i| 1 << i), 2000);
}

#[test]
fn a_server_listed_twice_counts_twice_and_its_points_go_to_the_first() {
    let server = Server {
        name: "10.0.0.1:11211",
        weight: 1,
    };
    let ring = Ring::new(&[server, server]).unwrap();
    let points: Vec<Point> = ring.points().collect();
    assert_eq!(points.len(), 320);
    for pair in points.chunks(2) {
        assert_eq!(pair[0].point, pair[1].point);
        assert_eq!((pair[0].server, pair[1].server), (0, 1));
    }
    assert!((0..1000).all(|key| ring.find(key.to_string()) == 0));
}

#[test]
fn sixty_one_equal_servers_get_39_digests_each() {
    assert_eq!(
        Ring::new(&servers(61, |_| 1)).unwrap().points().len(),
        61 * 39 * 4
    );
}

#[test]
fn a_server_may_have_no_point() {
    let ring = Ring::new(&servers(2, |i| 1 + 79 * i)).unwrap();
    assert!(ring.points().all(|point| point.server == 1));
    assert_eq!(ring.servers().len(), 2);
}

#[test]
fn hash_ring_takes_a_weight_of_0_as_no_points() {
    let servers = |weights: [u64; 3]| {
        ["a", "b", "c"]
            .into_iter()
            .zip(weights)
            .map(|(name, weight)| Server { name, weight })
            .collect::<Vec<_>>()
    };
    let ring = Ring::with_dialect(&servers([3, 0, 1]), Dialect::HashRing).unwrap();
    let points = |server| ring.points().filter(|point| point.server == server).count();
    // The second counts in 40 * 3 * w / W, of 3 points each.
    assert_eq!([0, 1, 2].map(points), [270, 0, 90]);
    assert_eq!(
        Ring::with_dialect(&servers([0, 0, 0]), Dialect::HashRing).unwrap_err(),
        Error::NoPoints
    );
}

#[test]
fn what_cannot_be_a_ring_says_why_and_which_server() {
    let error = |servers: &[(&str, u64)]| {
        let servers: Vec<_> = servers
            .iter()
            .map(|&(name, weight)| Server { name, weight })
            .collect();
        Ring::new(&servers).unwrap_err()
    };
    assert_eq!(error(&[]), Error::NoServers);
    assert_eq!(error(&[("a", 1), ("", 1)]), Error::EmptyName { server: 1 });
    assert_eq!(error(&[("a", 0)]), Error::ZeroWeight { server: 0 });
    assert_eq!(
        error(&[("a", 1), ("b", u64::MAX), ("c", 1)]),
        Error::WeightSum { server: 1 }
    );
    let long = "x".repeat(Server::MAX_NAME + 1);
    assert_eq!(
        error(&[("a", 1), ("b", 1), (&long, 1)]),
        Error::LongName { server: 2 }
    );
    assert_eq!(
        error(&[(&long, 1)]).to_string(),
        "server 0: the name is longer than 1023 bytes"
    );
    assert_eq!(error(&[(&long, 1)]).server(), Some(0));
    assert!(
        Ring::new(&[Server {
            name: &long[1..],
            weight: u64::MAX
        }])
        .is_ok()
    );
}

#[test]
fn a_ring_gives_back_its_servers_and_is_shared_by_threads() {
    let ring = Ring::new(&[
        Server {
            name: &b"caf\xe9:11211"[..],
            weight: 7,
        },
        Server {
            name: b"with\0nul",
            weight: u64::MAX - 7,
        },
    ])
    .unwrap();
    assert_eq!(&*ring.servers()[1].name, b"with\0nul");
    assert_eq!(ring.servers()[0].weight, 7);
    let survivors = Ring::new(&ring.servers()[..1]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(survivors.find(b"any key, \0 included"), 0));
        }
    });
}
