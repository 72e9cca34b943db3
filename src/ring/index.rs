//! From a position to the first point at or after it.
//!
//! ```text
//! below(limit):                                  how many points are below a limit
//!     at = how many are below limit's bucket        the buckets are the positions' top bits
//!     loop:
//!         count those below limit of the 8 from `at`, all compared at once
//!         fewer than 8 -> at + that many
//!         at += 8                                   a crowded bucket, and rare
//! ```
#![forbid(unsafe_code)]

use crate::error::{Error, try_collect};

/// How many points are compared at once.
const WINDOW: usize = 4;

/// The positions of a ring's points, ascending, and where in them to begin a search.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// The points, and a window of what is below no limit.
    positions: Box<[u32]>,
    /// How many points are below each bucket.
    starts: Box<[u32]>,
    /// What is left of a position when its bucket is shifted out.
    shift: u32,
}

impl Index {
    /// The index of positions in ascending order, at least one.
    pub(super) fn new(ascending: impl ExactSizeIterator<Item = u32>) -> Result<Index, Error> {
        let count = ascending.len();
        // 1.5 to 3 points a bucket on average, which keeps a point within 8.7 bytes.
        let bits = (count as u64 * 13 / 20).max(2).ilog2();
        let shift = u32::BITS - bits;
        let mut positions = Vec::new();
        positions.try_reserve_exact(count + WINDOW)?;
        positions.extend(ascending);
        let mut starts = Vec::new();
        starts.try_reserve_exact(1 << bits)?;
        starts.resize(1 << bits, u32::MAX);
        for (at, position) in positions.iter().enumerate().rev() {
            starts[(position >> shift) as usize] = at as u32;
        }
        // A bucket without points begins where the next one does.
        starts.iter_mut().rev().fold(count as u32, |next, start| {
            *start = next.min(*start);
            *start
        });
        positions.resize(count + WINDOW, u32::MAX);
        Ok(Index {
            positions: positions.into(),
            starts: starts.into(),
            shift,
        })
    }

    pub(super) fn positions(&self) -> &[u32] {
        &self.positions[..self.positions.len() - WINDOW]
    }

    /// How many points are below a position.
    #[inline(always)]
    pub(super) fn below(&self, limit: u32) -> usize {
        let mut at = self.starts[(limit >> self.shift) as usize] as usize;
        loop {
            let window: &[u32; WINDOW] = self.positions[at..at + WINDOW].try_into().expect("4");
            let below: u32 = window.iter().map(|&point| u32::from(point < limit)).sum();
            at += below as usize;
            if below < WINDOW as u32 {
                return at;
            }
        }
    }
}

/// The server of the keys that have a number of points below them, from 0 to all; in 2 bytes where
/// that is enough.
#[derive(Clone, Debug)]
pub(super) enum Owners {
    Narrow(Box<[u16]>),
    Wide(Box<[u32]>),
}

impl Owners {
    pub(super) fn new(
        owners: impl ExactSizeIterator<Item = u32>,
        servers: usize,
    ) -> Result<Owners, Error> {
        Ok(if servers <= 1 << u16::BITS {
            Owners::Narrow(try_collect(owners.map(|owner| owner as u16))?)
        } else {
            Owners::Wide(try_collect(owners)?)
        })
    }

    pub(super) fn get(&self, below: usize) -> u32 {
        match self {
            Owners::Narrow(owners) => owners[below].into(),
            Owners::Wide(owners) => owners[below],
        }
    }

    /// The servers for positions, each of which is below a limit or more.
    pub(super) fn find(&self, index: &Index, more: u32, positions: &[u32], servers: &mut [u32]) {
        match self {
            Owners::Narrow(owners) => find(index, owners, more, positions, servers),
            Owners::Wide(owners) => find(index, owners, more, positions, servers),
        }
    }
}

fn find<S: Copy + Into<u32>>(
    index: &Index,
    owners: &[S],
    more: u32,
    positions: &[u32],
    servers: &mut [u32],
) {
    for (server, position) in servers.iter_mut().zip(positions) {
        *server = owners[index.below(position.wrapping_add(more))].into();
    }
}
