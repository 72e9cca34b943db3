//! The circle as arcs, each with its owner: shares and differences, exact and not by sampling.
#![forbid(unsafe_code)]

use super::Ring;
use super::index::Owners;
use crate::dialect::Lookup;
use crate::error::{Error, try_collect};
use std::collections::BTreeMap;

const CIRCLE: u64 = 1 << 32;

/// A share of the circle that belongs to one server in one ring and to another in the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Move {
    /// The server's index in the first ring.
    pub from: u32,
    /// The server's index in the second ring.
    pub to: u32,
    /// The share of all positions, from 0 to 1.
    pub share: f64,
}

/// What differs between two rings.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The moves, by `from`, then by `to`.
    pub moves: Vec<Move>,
    /// The share of all positions that moves, from 0 to 1.
    pub moved: f64,
}

impl Ring {
    /// The exact share of all positions that a server owns, from 0 to 1. The shares of a ring sum to 1.
    ///
    /// # Panics
    ///
    /// If `server` is no index of [`servers`](Ring::servers).
    pub fn share(&self, server: usize) -> f64 {
        share(self.positions_owned[server])
    }

    /// How many positions each server owns.
    pub(super) fn count_positions(&self) -> Result<Box<[u64]>, Error> {
        match &self.owners {
            Owners::Narrow(owners) => self.count_positions_of(owners),
            Owners::Wide(owners) => self.count_positions_of(owners),
        }
    }

    fn count_positions_of<S: Copy + Into<u32>>(&self, owners: &[S]) -> Result<Box<[u64]>, Error> {
        let mut owned = try_collect(self.servers.iter().map(|_| 0))?;
        let mut add = |owner: S, positions: u64| owned[owner.into() as usize] += positions;
        let positions = self.index.positions();
        let (first, last) = (positions[0], positions[positions.len() - 1]);
        // The keys at a point itself have it below them only where the lookup goes on from it.
        let to_point = u64::from(1 - self.more());
        add(owners[0], u64::from(first) + to_point);
        for (pair, &owner) in positions.windows(2).zip(&owners[1..]) {
            add(owner, u64::from(pair[1] - pair[0]));
        }
        add(owners[positions.len()], CIRCLE - u64::from(last) - to_point);
        Ok(owned)
    }

    /// What moves when `other` takes this ring's place: the positions whose server has another
    /// name. Both rings must place keys by the same hash.
    pub fn compare(&self, other: &Ring) -> Result<Comparison, Error> {
        if self.rules.key_hash != other.rules.key_hash {
            return Err(Error::DifferentHashes);
        }
        let (mut ours, mut theirs) = (self.arcs().peekable(), other.arcs().peekable());
        let (mut from, mut to) = (0, 0);
        let mut moves: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        let mut start = 0;
        while start < CIRCLE {
            while let Some((_, owner)) = ours.next_if(|&(at, _)| at == start) {
                from = owner;
            }
            while let Some((_, owner)) = theirs.next_if(|&(at, _)| at == start) {
                to = owner;
            }
            let our_end = ours.peek().map_or(CIRCLE, |&(at, _)| at);
            let end = theirs.peek().map_or(our_end, |&(at, _)| at.min(our_end));
            if self.servers[from as usize].name != other.servers[to as usize].name {
                *moves.entry((from, to)).or_default() += end - start;
            }
            start = end;
        }
        Ok(Comparison {
            moved: share(moves.values().sum()),
            moves: try_collect(moves.into_iter().map(|((from, to), positions)| Move {
                from,
                to,
                share: share(positions),
            }))?
            .into_vec(),
        })
    }

    /// The arcs of the circle, each as its first position and the server of the keys on it; it
    /// lasts to the next one's first position, and may be empty. First positions ascend from 0 to
    /// at most 2^32.
    fn arcs(&self) -> impl Iterator<Item = (u64, u32)> {
        let positions = self.index.positions();
        let count = positions.len();
        let is_back = self.rules.lookup == Lookup::AtOrBefore;
        // A point ends its own arc: with itself, or where only what is before it counts, before
        // itself. Looking back it begins its own. Where points are equal, the arcs of all but one
        // are empty.
        let shift = u64::from(self.rules.lookup == Lookup::AtOrAfter);
        let first = (0, self.owner(if is_back { count - 1 } else { 0 }));
        let others = (0..count).map(move |i| {
            let owner = if is_back { i } else { (i + 1) % count };
            (u64::from(positions[i]) + shift, self.owner(owner))
        });
        std::iter::once(first).chain(others)
    }
}

fn share(positions: u64) -> f64 {
    positions as f64 / CIRCLE as f64
}
