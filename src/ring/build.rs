//! Servers and rules to points, sorted.
#![forbid(unsafe_code)]

use super::index::{Index, Owners};
use super::sort::{self, Sorted};
use super::{Ring, Server};
use crate::dialect::{Count, Digest, Lookup, Name, Order, Rules, Ties, ZeroWeight};
use crate::error::{Error, try_collect};
use crate::hash;
use crate::hash::md5::Nodes;
use crate::hash::simd::Simd;

pub(super) fn ring<N: AsRef<[u8]>>(servers: &[Server<N>], rules: &Rules) -> Result<Ring, Error> {
    check_rules(rules)?;
    check_names(servers)?;
    let weights = effective_weights(servers, rules)?;
    let digests = digests(&weights, rules)?;
    let order = order(servers, rules)?;
    let simd = Simd::get();
    let points = points(servers, &digests, &order, rules, simd)?;
    let runs = order.iter().map(|&server| {
        let points = digests[server as usize] as usize * usize::from(rules.points_per_digest);
        (server, points)
    });
    let (index, owners) = if servers.len() <= 1 << u16::BITS {
        let (index, owners) = in_order(points, runs, |server| server as u16, rules, simd)?;
        (index, Owners::Narrow(owners))
    } else {
        let (index, owners) = in_order(points, runs, |server| server, rules, simd)?;
        (index, Owners::Wide(owners))
    };
    let mut has_points = try_collect(digests.iter().map(|&digests| digests > 0))?;
    if rules.ties != Ties::AllKept {
        has_points.fill(false);
        for below in 0..index.positions().len() {
            has_points[owners.get(below) as usize] = true;
        }
    }
    let mut ring = Ring {
        servers: copied(servers)?,
        index,
        owners,
        servers_with_points: has_points.iter().filter(|&&has| has).count(),
        has_points,
        positions_owned: Box::default(),
        rules: *rules,
        simd,
    };
    ring.positions_owned = ring.count_positions()?;
    Ok(ring)
}

/// The servers with names of their own.
fn copied<N: AsRef<[u8]>>(servers: &[Server<N>]) -> Result<Box<[Server]>, Error> {
    let mut copied = Vec::new();
    copied.try_reserve_exact(servers.len())?;
    for server in servers {
        copied.push(Server {
            name: try_collect(server.name.as_ref().iter().copied())?,
            weight: server.weight,
        });
    }
    Ok(copied.into_boxed_slice())
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
fn order<N: AsRef<[u8]>>(servers: &[Server<N>], rules: &Rules) -> Result<Box<[u32]>, Error> {
    let mut order = try_collect(0..servers.len() as u32)?;
    match rules.order {
        Order::Listed => {}
        // Without the memory that a stable sort takes.
        Order::ByNameLength => order.sort_unstable_by_key(|&server| {
            let name = hashed_name(servers[server as usize].name.as_ref(), rules.name);
            (name.len(), name, server)
        }),
    }
    Ok(order)
}

/// The points of servers in this order, those of a server in none.
fn points<N: AsRef<[u8]>>(
    servers: &[Server<N>],
    digests: &[u64],
    order: &[u32],
    rules: &Rules,
    simd: Simd,
) -> Result<Vec<u32>, Error> {
    let count = digests.iter().sum::<u64>() as usize * usize::from(rules.points_per_digest);
    let mut points = Vec::new();
    points.try_reserve_exact(count + Index::SPARE)?;
    let mut nodes = Nodes::new(simd, rules.points_per_digest);
    // One allocation, whatever the names are.
    let mut stem = Vec::with_capacity(Server::MAX_NAME + 1 + MAX_DIGITS);
    for &server in order {
        let (name, count) = (
            servers[server as usize].name.as_ref(),
            digests[server as usize],
        );
        stem.clear();
        stem.extend_from_slice(hashed_name(name, rules.name));
        stem.push(rules.separator);
        match rules.digest {
            Digest::Md5 => {
                let digits = 1 + count.saturating_sub(1).checked_ilog10().unwrap_or(0);
                if stem.len() + digits as usize <= Nodes::MAX {
                    nodes.add(&stem, count, &mut points);
                } else {
                    nodes.finish(&mut points);
                    for_each_node(&mut stem, count, |node| {
                        let words = hash::md5::words(node);
                        points.extend_from_slice(&words[..rules.points_per_digest.into()]);
                    });
                }
            }
            Digest::OneAtATime => for_each_node(&mut stem, count, |node| {
                points.push(hash::one_at_a_time(node));
            }),
            Digest::Sha1 => for_each_node(&mut stem, count, |node| points.push(hash::sha1(node))),
            Digest::Crc32Chain => {
                let (host, port) = split_port(name);
                let behind = [b"\0", port.unwrap_or_default()];
                let chain = behind
                    .into_iter()
                    .fold(hash::crc32(host), hash::crc32_continued);
                let mut previous = 0u32;
                for _ in 0..count {
                    previous = hash::crc32_continued(chain, &previous.to_le_bytes());
                    points.push(previous);
                }
            }
        }
    }
    nodes.finish(&mut points);
    Ok(points)
}

/// The digits of the number of a server's last point, of at most 2^31.
const MAX_DIGITS: usize = 10;

/// Hands out what is hashed for a server's points: a stem, and behind it a number from 0.
fn for_each_node(stem: &mut Vec<u8>, count: u64, mut node: impl FnMut(&[u8])) {
    let number = stem.len();
    stem.push(b'0');
    for _ in 0..count {
        node(stem);
        if count_up(&mut stem[number..]) {
            stem.push(b'0');
        }
    }
}

/// Makes a decimal number one more, and says whether it needs another 0 behind it for that.
fn count_up(digits: &mut [u8]) -> bool {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return false;
        }
        *digit = b'0';
    }
    digits[0] = b'1';
    true
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

/// The points of runs of owners in ring order, and the owners of keys by the points below
/// them.
fn in_order<S: Copy + Default>(
    points: Vec<u32>,
    runs: impl Iterator<Item = (u32, usize)>,
    narrow: impl Fn(u32) -> S,
    rules: &Rules,
    simd: Simd,
) -> Result<(Index, Box<[S]>), Error> {
    let bits = Index::bits(points.len());
    let mut sorted = sort::sorted(points, runs, bits, narrow, simd)?;
    settle_ties(&mut sorted, rules.ties)?;
    let Sorted {
        positions,
        mut owners,
        starts,
    } = sorted;
    if rules.lookup == Lookup::AtOrBefore {
        owners.insert(0, owners[owners.len() - 1]);
    } else {
        owners.push(owners[0]);
    }
    Ok((Index::new(positions, starts), owners.into()))
}

fn settle_ties<S: Copy>(sorted: &mut Sorted<S>, ties: Ties) -> Result<(), Error> {
    let (positions, owners) = (&mut sorted.positions, &mut sorted.owners);
    let count = positions.len();
    if matches!(ties, Ties::LastOwnsAll | Ties::LastKept) {
        for at in (1..count).rev() {
            if positions[at - 1] == positions[at] {
                owners[at - 1] = owners[at];
            }
        }
    }
    if matches!(ties, Ties::FirstKept | Ties::LastKept) {
        let mut kept = 1;
        for at in 1..count {
            if positions[at] != positions[kept - 1] {
                (positions[kept], owners[kept]) = (positions[at], owners[at]);
                kept += 1;
            }
        }
        if kept < count {
            // Without room for those that went, which could fail to be given back later.
            *positions = beginning(positions, kept, Index::SPARE)?;
            *owners = beginning(owners, kept, 1)?;
            sorted.starts = sort::starts(positions, Index::bits(kept))?;
        }
    }
    Ok(())
}

/// The first of a list, with room for some more.
fn beginning<T: Copy>(list: &[T], len: usize, more: usize) -> Result<Vec<T>, Error> {
    let mut beginning = Vec::new();
    beginning.try_reserve_exact(len + more)?;
    beginning.extend_from_slice(&list[..len]);
    Ok(beginning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    /// What the points of these servers are by a ring's own rules, made one by one.
    fn expected(servers: &[Server<Vec<u8>>], rules: &Rules) -> Vec<(u32, u32)> {
        let weights = effective_weights(servers, rules).unwrap();
        let digests = digests(&weights, rules).unwrap();
        let mut points: Vec<(u32, u32)> = Vec::new();
        for server in order(servers, rules).unwrap() {
            for number in 0..digests[server as usize] {
                let name = hashed_name(&servers[server as usize].name, rules.name);
                let node = [name, &[rules.separator], number.to_string().as_bytes()].concat();
                let words = hash::md5::words(&node);
                let words = words[..rules.points_per_digest.into()].iter();
                points.extend(words.map(|&point| (point, server)));
            }
        }
        points.sort_by_key(|&(point, _)| point);
        let same = |a: &(u32, u32), b: &(u32, u32)| a.0 == b.0;
        let ties = points.chunk_by(same).flat_map(|equal| {
            let (first, last) = (equal[0], equal[equal.len() - 1]);
            match rules.ties {
                Ties::AllKept => equal.to_vec(),
                Ties::LastOwnsAll => vec![last; equal.len()],
                Ties::FirstKept => vec![first],
                Ties::LastKept => vec![last],
            }
        });
        ties.collect()
    }

    fn check(servers: &[Server<Vec<u8>>], rules: &Rules) {
        let ring = Ring::with_rules(servers, rules).unwrap();
        let points = expected(servers, rules);
        let got = ring.points().map(|point| (point.point, point.server));
        assert!(got.eq(points.iter().copied()), "{rules:?}");
        let mut has_points = vec![false; servers.len()];
        for &(_, server) in &points {
            has_points[server as usize] = true;
        }
        assert_eq!(*ring.has_points, *has_points, "{rules:?}");
        assert_eq!(ring.positions_owned.iter().sum::<u64>(), 1 << 32);
        // Where a search begins is right where each search ends right.
        for &(point, _) in &points {
            for position in [point.wrapping_sub(1), point, point.wrapping_add(1)] {
                let limit = position.wrapping_add(ring.more());
                let below = points.partition_point(|&(point, _)| point < limit);
                assert_eq!(ring.index.below(ring.simd, limit), below, "{rules:?}");
            }
        }
    }

    fn servers(weights: impl Iterator<Item = u64>) -> Vec<Server<Vec<u8>>> {
        // Of all lengths, some too long for one block; each third is the one before again.
        let name = |i: usize| (0..1 + i % 70).map(move |at| b'a' + ((i * i + at) % 23) as u8);
        let named = |(i, weight)| Server {
            name: name(if i % 3 == 2 { i - 1 } else { i }).collect(),
            weight,
        };
        weights.enumerate().map(named).collect()
    }

    #[test]
    fn points_are_those_made_one_by_one() {
        // Counts of one to four digits.
        let equal = servers((0..100).map(|_| 3));
        let mixed = servers((1..100u64).map(|i| if i % 33 == 0 { 2000 } else { i }));
        for dialect in Dialect::ALL {
            let rules = dialect.rules();
            for ties in [
                Ties::AllKept,
                Ties::LastOwnsAll,
                Ties::FirstKept,
                Ties::LastKept,
            ] {
                let rules = Rules { ties, ..*rules };
                if rules.digest == Digest::Md5 {
                    check(&equal, &rules);
                    check(&mixed, &rules);
                    check(&equal[..1], &rules);
                }
            }
        }
    }

    #[test]
    fn many_points_are_those_made_one_by_one() {
        let rules = Dialect::Libketama.rules();
        check(&servers((0..2000).map(|_| 1)), rules);
        let one_each = Rules {
            base: 1,
            points_per_digest: 1,
            count: Count::Fixed,
            ..*rules
        };
        // As many as owners of 2 bytes can name, and more.
        for count in [65_536, 65_537, 70_000] {
            check(&servers((0..count).map(|_| 1)), &one_each);
        }
    }
}
