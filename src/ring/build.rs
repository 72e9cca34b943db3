//! Servers and rules to points, sorted.
#![forbid(unsafe_code)]

use super::index::{Index, Owners};
use super::{Ring, Server, sort};
use crate::dialect::{Count, Digest, Lookup, Name, Order, Rules, Ties, ZeroWeight};
use crate::error::{Error, try_collect};
use crate::hash;
use crate::hash::lanes::LANES;
use crate::hash::md5::Blocks;
use crate::hash::simd::Simd;

pub(super) fn ring<N: AsRef<[u8]>>(servers: &[Server<N>], rules: &Rules) -> Result<Ring, Error> {
    check_rules(rules)?;
    check_names(servers)?;
    let weights = effective_weights(servers, rules)?;
    let digests = digests(&weights, rules)?;
    let order = order(servers, rules);
    let simd = Simd::get();

    // A point above its server's place in the order: sorting these numbers gives ring order, and of
    // equal points that order.
    let points = digests.iter().sum::<u64>() as usize * usize::from(rules.points_per_digest);
    let mut keyed: Vec<u64> = Vec::new();
    keyed.try_reserve_exact(points)?;
    let names = order.iter().map(|&server| {
        let name = servers[server as usize].name.as_ref();
        (name, digests[server as usize])
    });
    for_each_point(names, rules, simd, |place, point| {
        keyed.push(u64::from(point) << 32 | place as u64);
    });
    let mut keyed = sort::spread(keyed)?;
    settle_ties(&mut keyed, rules.ties);

    let count = keyed.len();
    let index = Index::new(keyed.iter().map(|key| (key >> 32) as u32))?;
    let is_back = rules.lookup == Lookup::AtOrBefore;
    let owners = (0..count + 1).map(|below| {
        let point = match below {
            0 if is_back => count - 1,
            _ if is_back => below - 1,
            _ if below == count => 0,
            _ => below,
        };
        order[keyed[point] as u32 as usize]
    });
    let owners = Owners::new(owners, servers.len())?;
    let mut has_points = vec![false; servers.len()];
    for below in 0..count {
        has_points[owners.get(below) as usize] = true;
    }
    let mut ring = Ring {
        servers: try_collect(servers.iter().map(|server| Server {
            name: server.name.as_ref().into(),
            weight: server.weight,
        }))?,
        index,
        owners,
        servers_with_points: has_points.iter().filter(|&&has| has).count(),
        has_points: has_points.into(),
        positions_owned: Box::default(),
        rules: *rules,
        simd,
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

/// Hands out the points of names that get so many digests, with the names' places, in no order.
fn for_each_point<'name>(
    names: impl Iterator<Item = (&'name [u8], u64)>,
    rules: &Rules,
    simd: Simd,
    mut add: impl FnMut(usize, u32),
) {
    let mut digests = Digests {
        simd,
        words: rules.points_per_digest.into(),
        blocks: Blocks::EMPTY,
        places: Vec::with_capacity(LANES),
    };
    for (place, (name, count)) in names.enumerate() {
        if rules.digest == Digest::Crc32Chain {
            let (host, port) = split_port(name);
            let chain = hash::crc32(&[host, b"\0", port.unwrap_or_default()].concat());
            let mut previous = 0u32;
            for _ in 0..count {
                previous = hash::crc32_continued(chain, &previous.to_le_bytes());
                add(place, previous);
            }
            continue;
        }
        let stem = [hashed_name(name, rules.name), &[rules.separator]].concat();
        match rules.digest {
            Digest::Md5 => digests.add(place, &stem, count, &mut add),
            digest => for_each_node(&stem, count, |node| {
                add(
                    place,
                    match digest {
                        Digest::OneAtATime => hash::one_at_a_time(node),
                        _ => hash::sha1(node),
                    },
                );
            }),
        }
    }
    digests.hand_out(&mut add);
}

/// Hands out what is hashed for a server's points: a stem, and behind it a number from 0.
fn for_each_node(stem: &[u8], count: u64, mut node: impl FnMut(&[u8])) {
    let mut text = [stem, b"0"].concat();
    for _ in 0..count {
        node(&text);
        if count_up(&mut text[stem.len()..]) {
            text.push(b'0');
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

/// MD5 of node strings, as many at once as go.
struct Digests {
    simd: Simd,
    /// The points of a digest.
    words: usize,
    blocks: Blocks,
    /// The places of what is in the blocks.
    places: Vec<usize>,
}

impl Digests {
    fn add(&mut self, place: usize, stem: &[u8], count: u64, add: &mut impl FnMut(usize, u32)) {
        if stem.len() + count.max(1).to_string().len() > Blocks::MAX {
            return for_each_node(stem, count, |node| {
                let words = hash::md5::words(node);
                words[..self.words]
                    .iter()
                    .for_each(|&point| add(place, point));
            });
        }
        let mut block = Blocks::padded(&[stem, b"0"].concat());
        let mut len = stem.len() + 1;
        for _ in 0..count {
            self.places.push(place);
            if self.blocks.add(&block) {
                self.hand_out(add);
            }
            if count_up(&mut block[stem.len()..len]) {
                block = Blocks::padded(&[&block[..len], b"0"].concat());
                len += 1;
            }
        }
    }

    fn hand_out(&mut self, add: &mut impl FnMut(usize, u32)) {
        for (place, words) in self.places.drain(..).zip(self.blocks.hash(self.simd)) {
            words[..self.words]
                .iter()
                .for_each(|&point| add(place, point));
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
