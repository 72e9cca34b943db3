//! Rules of one's own, as plainly as ketama.h tells them. The choices are the header's numbers.

use crate::dialects::{crc32, elide, fnv1a_64, jenkins, node, split};
use ketama::capi::ring::ketama_status::{self, *};
use ketama::capi::rules::ketama_rules;
use md5::{Digest, Md5};
use sha1::Sha1;
use std::collections::BTreeSet;
use std::ffi::c_int;

const COUNT_FIXED: c_int = 0;
const ZERO_WEIGHT_REFUSED: c_int = 0;
const ZERO_WEIGHT_COUNTS_ONE: c_int = 1;

/// What is wrong with these rules and servers: a function may return any of it, but nothing else.
pub fn errors(servers: &[(&[u8], u64)], rules: &ketama_rules) -> BTreeSet<c_int> {
    let mut errors = BTreeSet::new();
    let mut wrong = |is_wrong: bool, status: ketama_status| {
        if is_wrong {
            errors.insert(status as c_int);
        }
        is_wrong
    };
    let is_choice = |number: c_int, count| (0..count).contains(&number);
    let most = if rules.digest == 0 { 4 } else { 1 };
    let are_valid = rules.struct_size == size_of::<ketama_rules>()
        && is_choice(rules.name, 3)
        && is_choice(rules.digest, 4)
        && is_choice(rules.count, 7)
        && is_choice(rules.zero_weight, 3)
        && is_choice(rules.order, 2)
        && is_choice(rules.ties, 4)
        && is_choice(rules.key_hash, 4)
        && is_choice(rules.lookup, 3)
        && (1..=most).contains(&rules.points_per_digest)
        && rules.base > 0;
    let is_wrong = [
        wrong(!are_valid, KETAMA_INVALID_RULES),
        wrong(servers.is_empty(), KETAMA_NO_SERVERS),
        wrong(
            servers.iter().any(|(name, _)| name.is_empty()),
            KETAMA_EMPTY_NAME,
        ),
        wrong(
            servers.iter().any(|(name, _)| name.len() > 1023),
            KETAMA_LONG_NAME,
        ),
        wrong(
            rules.count != COUNT_FIXED
                && rules.zero_weight == ZERO_WEIGHT_REFUSED
                && servers.iter().any(|&(_, weight)| weight == 0),
            KETAMA_ZERO_WEIGHT,
        ),
        wrong(total(servers, rules) >> 64 > 0, KETAMA_WEIGHT_SUM),
    ];
    if !is_wrong.contains(&true) {
        let points = count(servers, rules);
        wrong(points == 0, KETAMA_NO_POINTS);
        wrong(points > c_int::MAX as u128, KETAMA_TOO_MANY_POINTS);
    }
    errors
}

/// The weight that counts in place of a server's own.
pub fn weight(weight: u64, rules: &ketama_rules) -> u64 {
    if rules.count == COUNT_FIXED {
        1
    } else if rules.zero_weight == ZERO_WEIGHT_COUNTS_ONE {
        weight.max(1)
    } else {
        weight
    }
}

fn total(servers: &[(&[u8], u64)], rules: &ketama_rules) -> u128 {
    servers
        .iter()
        .map(|server| u128::from(weight(server.1, rules)))
        .sum()
}

/// How many points there are before equal ones are dropped.
pub fn count(servers: &[(&[u8], u64)], rules: &ketama_rules) -> u128 {
    let counts = servers
        .iter()
        .map(|server| u128::from(digests(server.1, servers, rules)));
    counts.sum::<u128>() * u128::from(rules.points_per_digest)
}

fn digests(w: u64, servers: &[(&[u8], u64)], rules: &ketama_rules) -> u64 {
    let (w, total, n, base) = (
        weight(w, rules),
        total(servers, rules),
        servers.len(),
        rules.base,
    );
    if total == 0 {
        return 0;
    }
    let total = total as u64;
    match rules.count {
        COUNT_FIXED => base.into(),
        1 => (u128::from(base) * u128::from(w)).min(u64::MAX.into()) as u64,
        2 => (u128::from(base) * n as u128 * u128::from(w) / u128::from(total)) as u64,
        3 => {
            let share = w as f32 / total as f32;
            (f64::from(share) * f64::from(base) * n as f64) as f32 as u64
        }
        4 => {
            let share = w as f32 / total as f32;
            (share * (4 * u64::from(base)) as f32 / 4.0 * n as f32 + 1e-10) as u64
        }
        5 => (w as f64 / total as f64 * f64::from(base) * n as f64) as u64,
        6 => ((n as u128 * u128::from(base) * u128::from(w)) as f64 / total as f64) as u64,
        _ => unreachable!("such rules are refused"),
    }
}

/// A ring as a list of points.
pub struct Model {
    /// Position and server, in ring order.
    pub points: Vec<(u32, usize)>,
    key_hash: c_int,
    lookup: c_int,
}

impl Model {
    /// The ring of servers and rules with which nothing is wrong.
    pub fn new(servers: &[(&[u8], u64)], rules: &ketama_rules) -> Model {
        let hashed = |server: usize| {
            let name = servers[server].0;
            match rules.name {
                0 => name,
                1 => elide(name),
                _ => name.strip_prefix(b"/").unwrap_or(name),
            }
        };
        let mut order: Vec<usize> = (0..servers.len()).collect();
        if rules.order == 1 {
            order.sort_by_key(|&server| (hashed(server).len(), hashed(server)));
        }
        let mut points = Vec::new();
        for server in order {
            let (host, port) = split(servers[server].0);
            let mut previous = 0u32;
            for k in 0..digests(servers[server].1, servers, rules) {
                let text = node(hashed(server), rules.separator, k);
                let mut add = |point| points.push((point, server));
                match rules.digest {
                    0 => {
                        let digest = Md5::digest(text);
                        let words = digest.chunks(4).take(rules.points_per_digest as usize);
                        words.for_each(|word| add(u32::from_le_bytes(word.try_into().unwrap())));
                    }
                    1 => add(jenkins(&text)),
                    2 => add(u32::from_be_bytes(
                        Sha1::digest(text)[..4].try_into().unwrap(),
                    )),
                    _ => {
                        previous = crc32(&[host, b"\0", port, &previous.to_le_bytes()].concat());
                        add(previous);
                    }
                }
            }
        }
        // Stable: of equal points, those made first come first.
        points.sort_by_key(|&(point, _)| point);
        let equal = points.chunk_by(|a, b| a.0 == b.0);
        let settled = equal.flat_map(|equal| match rules.ties {
            0 => equal.to_vec(),
            1 => vec![equal[equal.len() - 1]; equal.len()],
            2 => vec![equal[0]],
            _ => vec![equal[equal.len() - 1]],
        });
        Model {
            points: settled.collect(),
            key_hash: rules.key_hash,
            lookup: rules.lookup,
        }
    }

    /// A key's position.
    pub fn hash(&self, key: &[u8]) -> u32 {
        match self.key_hash {
            0 => u32::from_le_bytes(Md5::digest(key)[..4].try_into().unwrap()),
            1 => jenkins(key),
            2 => fnv1a_64(key),
            _ => crc32(key),
        }
    }

    /// The index of the point that keys at a position belong to.
    pub fn point_of(&self, position: u32) -> usize {
        let count = self.points.len();
        let below = self
            .points
            .partition_point(|&(point, _)| match self.lookup {
                0 => point < position,
                _ => point <= position,
            });
        match self.lookup {
            0 | 1 => below % count,
            _ => (below + count - 1) % count,
        }
    }

    pub fn find_hash(&self, position: u32) -> usize {
        self.points[self.point_of(position)].1
    }

    /// The distinct servers from a position on, in the direction of the lookup.
    pub fn walk(&self, position: u32) -> Vec<usize> {
        let (first, count) = (self.point_of(position), self.points.len());
        let mut servers = Vec::new();
        for step in 0..count {
            let at = match self.lookup {
                0 | 1 => first + step,
                _ => first + count - step,
            };
            let server = self.points[at % count].1;
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        servers
    }

    /// How many positions each of so many servers owns.
    pub fn positions(&self, servers: usize) -> Vec<u64> {
        let mut positions = vec![0; servers];
        for (start, len) in arcs(&[self]) {
            positions[self.find_hash(start)] += len;
        }
        positions
    }
}

/// Arcs on which no ring changes its mind: their first positions and lengths.
pub fn arcs(rings: &[&Model]) -> Vec<(u32, u64)> {
    let mut borders: Vec<u64> = vec![0, 1 << 32];
    for (point, _) in rings.iter().flat_map(|ring| &ring.points) {
        borders.extend([u64::from(*point), u64::from(*point) + 1]);
    }
    borders.sort_unstable();
    borders.dedup();
    borders
        .windows(2)
        .map(|pair| (pair[0] as u32, pair[1] - pair[0]))
        .collect()
}
