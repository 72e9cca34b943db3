//! What servers want of the circle, and what they get.

use ketama::Ring;
use ketama::dialect::ZeroWeight;

/// A server of a ring.
pub struct Share {
    pub points: usize,
    /// Its weight's share of all.
    pub wanted: f64,
    /// The share of all positions that it has.
    pub got: f64,
}

/// What is wrong with a share.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    NoPoints,
    Off,
}

/// How far a share may be off what is wanted, of that.
const TOLERANCE: f64 = 0.10;

impl Share {
    /// How much it is off, of what is wanted; `None` where nothing is.
    pub fn off(&self) -> Option<f64> {
        (self.wanted > 0.0).then(|| self.got / self.wanted - 1.0)
    }

    pub fn warning(&self) -> Option<Warning> {
        match self.off() {
            Some(_) if self.points == 0 => Some(Warning::NoPoints),
            Some(off) if off.abs() > TOLERANCE => Some(Warning::Off),
            _ => None,
        }
    }
}

impl Warning {
    pub fn name(self) -> &'static str {
        match self {
            Warning::NoPoints => "no_points",
            Warning::Off => "off",
        }
    }
}

pub fn shares(ring: &Ring) -> Vec<Share> {
    let weights: Vec<u64> = ring
        .servers()
        .iter()
        .map(|server| counts(ring, server.weight))
        .collect();
    let total: f64 = weights.iter().map(|&weight| weight as f64).sum();
    let mut points = vec![0; weights.len()];
    for point in ring.points() {
        points[point.server as usize] += 1;
    }
    let each = weights.iter().zip(points).enumerate();
    each.map(|(server, (&weight, points))| Share {
        points,
        wanted: weight as f64 / total,
        got: ring.share(server),
    })
    .collect()
}

/// The weight that counts in place of a server's own.
fn counts(ring: &Ring, weight: u64) -> u64 {
    let rules = ring.rules();
    if rules.is_weightless() || (weight == 0 && rules.zero_weight == ZeroWeight::CountsOne) {
        1
    } else {
        weight
    }
}
