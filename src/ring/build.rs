//! Servers and rules to points, sorted.
#![forbid(unsafe_code)]

use super::index::{Index, Owners};
use super::{Ring, Server};
use crate::dialect::{Count, Digest, Lookup, Name, Order, Rules, Ties, ZeroWeight};
use crate::error::{Error, try_collect};
use crate::hash;
use crate::hash::md5::Simd;
use std::io::Write;

pub(super) fn ring<N: AsRef<[u8]>>(servers: &[Server<N>], rules: &Rules) -> Result<Ring, Error> {
    check_rules(rules)?;
    check_names(servers)?;
    let weights = effective_weights(servers, rules)?;
    let digests = digests(&weights, rules)?;
    let order = order(servers, rules);

    // A point above its server's place in the order: sorting these numbers gives ring order, and of
    // equal points that order.
    let points = digests.iter().sum::<u64>() as usize * usize::from(rules.points_per_digest);
    let mut keyed: Vec<u64> = Vec::new();
    keyed.try_reserve_exact(points)?;
    for (place, &server) in order.iter().enumerate() {
        let name = servers[server as usize].name.as_ref();
        for_each_point(name, digests[server as usize], rules, |point| {
            keyed.push(u64::from(point) << 32 | place as u64);
        });
    }
    keyed.sort_unstable();
    settle_ties(&mut keyed, rules.ties);

    let owner = |&key: &u64| order[key as u32 as usize];
    let count = keyed.len();
    let owners = (0..count + 1).map(|below| match rules.lookup {
        Lookup::AtOrBefore => owner(&keyed[(below + count - 1) % count]),
        _ => owner(&keyed[below % count]),
    });
    let mut has_points = vec![false; servers.len()];
    keyed
        .iter()
        .for_each(|key| has_points[owner(key) as usize] = true);
    let mut ring = Ring {
        servers: try_collect(servers.iter().map(|server| Server {
            name: server.name.as_ref().into(),
            weight: server.weight,
        }))?,
        index: Index::new(keyed.iter().map(|key| (key >> 32) as u32))?,
        owners: Owners::new(owners, servers.len())?,
        servers_with_points: has_points.iter().filter(|&&has| has).count(),
        has_points: has_points.into(),
        positions_owned: Box::default(),
        rules: *rules,
        simd: Simd::get(),
    };
    ring.positions_owned = ring.count_positions();
    Ok(ring)
}

fn check_rules(rules: &Rules) -> Result<(), Error> {
    let allowed = if rules.digest == Digest::Md5 {
        1..=4
    } else {
        1..=1
    };
    if !allowed.contains(&rules.points_per_digest) {
        return Err(Error::InvalidRules("points_per_digest"));
    }
    if rules.base == 0 {
        return Err(Error::InvalidRules("base"));
    }
    Ok(())
}

fn check_names<N: AsRef<[u8]>>(servers: &[Server<N>]) -> Result<(), Error> {
    if servers.is_empty() {
        return Err(Error::NoServers);
    }
    for (index, server) in servers.iter().enumerate() {
        match server.name.as_ref().len() {
            0 => return Err(Error::EmptyName { server: index }),
            1..=Server::MAX_NAME => {}
            _ => return Err(Error::LongName { server: index }),
        }
    }
    Ok(())
}

fn effective_weights<N>(servers: &[Server<N>], rules: &Rules) -> Result<Box<[u64]>, Error> {
    let weights = try_collect(
        servers
            .iter()
            .map(|server| rules.effective_weight(server.weight)),
    )?;
    match weights.iter().position(|&weight| weight == 0) {
        Some(server) if rules.zero_weight != ZeroWeight::NoPoints => {
            Err(Error::ZeroWeight { server })
        }
        _ => Ok(weights),
    }
}

impl Rules {
    /// The weight that counts in place of a server's own.
    pub(super) fn effective_weight(&self, weight: u64) -> u64 {
        if self.is_weightless() || (weight == 0 && self.zero_weight == ZeroWeight::CountsOne) {
            1
        } else {
            weight
        }
    }

    /// How many digests a server of this weight gets, of `servers` whose weights sum to `total`.
    fn digests(&self, weight: u64, total: u64, servers: usize) -> u64 {
        let share = weight as f32 / total as f32;
        match self.count {
            Count::Fixed => self.base.into(),
            Count::TimesWeight => weight.saturating_mul(self.base.into()),
            Count::Integer => {
                let base = u128::from(self.base) * servers as u128;
                (base * u128::from(weight) / u128::from(total)) as u64
            }
            // The order and width of each rounding are the clients': 61 equal servers get 39 each.
            Count::Libketama => {
                (f64::from(share) * f64::from(self.base) * f64::from(servers as f32)) as f32 as u64
            }
            Count::Libmemcached => {
                let base = share * (4.0 * self.base as f32) / 4.0;
                (base * servers as f32 + 1e-10) as u64
            }
            Count::Hashring => {
                (weight as f64 / total as f64 * f64::from(self.base) * servers as f64) as u64
            }
            Count::Dalli => {
                let base = u128::from(self.base) * servers as u128;
                ((base * u128::from(weight)) as f64 / total as f64) as u64
            }
        }
    }
}

/// How many digests each server gets; fewer points in all than an `int` can count.
fn digests(weights: &[u64], rules: &Rules) -> Result<Box<[u64]>, Error> {
    let mut total = 0u64;
    for (server, &weight) in weights.iter().enumerate() {
        total = total
            .checked_add(weight)
            .ok_or(Error::WeightSum { server })?;
    }
    if total == 0 {
        return Err(Error::NoPoints);
    }
    let digests = weights
        .iter()
        .map(|&weight| rules.digests(weight, total, weights.len()));
    let digests = try_collect(digests)?;
    let mut points = 0u64;
    for (server, &digests) in digests.iter().enumerate() {
        let more = digests.saturating_mul(rules.points_per_digest.into());
        points = points.saturating_add(more);
        if points > i32::MAX as u64 || server > i32::MAX as usize {
            return Err(Error::TooManyPoints { server });
        }
    }
    if points == 0 {
        return Err(Error::NoPoints);
    }
    Ok(digests)
}

/// The servers' indexes in the order that decides between equal points.
fn order<N: AsRef<[u8]>>(servers: &[Server<N>], rules: &Rules) -> Vec<u32> {
    let mut order: Vec<u32> = (0..servers.len() as u32).collect();
    match rules.order {
        Order::Listed => {}
        Order::ByNameLength => order.sort_by_key(|&server| {
            let name = hashed_name(servers[server as usize].name.as_ref(), rules.name);
            (name.len(), name)
        }),
    }
    order
}

fn for_each_point(name: &[u8], digests: u64, rules: &Rules, mut add: impl FnMut(u32)) {
    let (host, port) = split_port(name);
    let chain = hash::crc32(&[host, b"\0", port.unwrap_or_default()].concat());
    let mut previous = 0u32;

    let mut node = [hashed_name(name, rules.name), &[rules.separator]].concat();
    let stem = node.len();
    for k in 0..digests {
        node.truncate(stem);
        write!(node, "{k}").expect("a Vec takes every write");
        match rules.digest {
            Digest::Md5 => {
                let words = hash::md5::words(&node);
                words[..rules.points_per_digest.into()]
                    .iter()
                    .copied()
                    .for_each(&mut add);
            }
            Digest::OneAtATime => add(hash::one_at_a_time(&node)),
            Digest::Sha1 => add(hash::sha1(&node)),
            Digest::Crc32Chain => {
                previous = hash::crc32_continued(chain, &previous.to_le_bytes());
                add(previous);
            }
        }
    }
}

fn hashed_name(name: &[u8], part: Name) -> &[u8] {
    match part {
        Name::Full => name,
        Name::NoSlash => name.strip_prefix(b"/").unwrap_or(name),
        Name::Elided => match split_port(name) {
            (host, Some(b"11211")) => host,
            _ => name,
        },
    }
}

/// A name's host, and its port where digits stand behind the last colon.
fn split_port(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    match name.iter().rposition(|&byte| byte == b':') {
        Some(colon) if is_number(&name[colon + 1..]) => (&name[..colon], Some(&name[colon + 1..])),
        _ => (name, None),
    }
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

fn settle_ties(keyed: &mut Vec<u64>, ties: Ties) {
    let same_point = |a: &u64, b: &u64| a >> 32 == b >> 32;
    match ties {
        Ties::AllKept => {}
        Ties::LastOwnsAll => {
            for equal in keyed.chunk_by_mut(same_point) {
                let last = equal[equal.len() - 1];
                equal.fill(last);
            }
        }
        Ties::FirstKept => keyed.dedup_by(|later, kept| same_point(later, kept)),
        Ties::LastKept => keyed.dedup_by(|later, kept| {
            let is_same = same_point(later, kept);
            if is_same {
                *kept = *later;
            }
            is_same
        }),
    }
}
