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
use crate::hash::simd::{Simd, Work};

/// How many points are compared at once.
const WINDOW: usize = 8;

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

    #[inline(always)]
    fn search(&self) -> Search<'_> {
        Search {
            positions: &self.positions,
            starts: &self.starts,
            shift: self.shift,
        }
    }

    /// How many points are below a position.
    pub(super) fn below(&self, simd: Simd, limit: u32) -> usize {
        simd.run((self, limit))
    }
}

/// An index's parts, at hand in registers.
#[derive(Clone, Copy)]
struct Search<'a> {
    positions: &'a [u32],
    starts: &'a [u32],
    shift: u32,
}

impl Search<'_> {
    #[inline(always)]
    fn below(self, limit: u32) -> usize {
        let at = self.starts[(limit >> self.shift) as usize] as usize;
        match self.below_in_window(at, limit) {
            WINDOW => self.below_behind(at + WINDOW, limit),
            below => at + below,
        }
    }

    /// How many of the points from `at` are below a limit, of as many as are compared at once.
    #[inline(always)]
    fn below_in_window(self, at: usize, limit: u32) -> usize {
        let window = self.positions[at..at + WINDOW].iter();
        window.map(|&point| usize::from(point < limit)).sum()
    }

    /// The same as `below`, in a crowded bucket.
    #[cold]
    fn below_behind(self, mut at: usize, limit: u32) -> usize {
        loop {
            match self.below_in_window(at, limit) {
                WINDOW => at += WINDOW,
                below => return at + below,
            }
        }
    }
}

/// Two numbers, which pass in registers.
impl Work for (&Index, u32) {
    type Output = usize;

    #[inline(always)]
    fn run(self) -> usize {
        self.0.search().below(self.1)
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
    pub(super) fn find(
        &self,
        simd: Simd,
        index: &Index,
        more: u32,
        positions: &[u32],
        servers: &mut [u32],
    ) {
        let search = index.search();
        match self {
            Owners::Narrow(owners) => simd.run(Find {
                search,
                owners,
                more,
                positions,
                servers,
            }),
            Owners::Wide(owners) => simd.run(Find {
                search,
                owners,
                more,
                positions,
                servers,
            }),
        }
    }
}

struct Find<'a, S> {
    search: Search<'a>,
    owners: &'a [S],
    more: u32,
    positions: &'a [u32],
    servers: &'a mut [u32],
}

impl<S: Copy + Into<u32>> Work for Find<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (server, position) in self.servers.iter_mut().zip(self.positions) {
            let limit = position.wrapping_add(self.more);
            *server = self.owners[self.search.below(limit)].into();
        }
    }
}
