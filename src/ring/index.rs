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
#![deny(unsafe_code)]

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;

use crate::hash::simd::Simd;

/// How many points are compared at once.
const WINDOW: usize = 8;

/// The positions of a ring's points, ascending, and where in them to begin a search.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// The points, and a window of what is below no limit.
    positions: Box<[u32]>,
    /// How many points are below each bucket, and below the end of the last.
    starts: Box<[u32]>,
    /// What is left of a position when its bucket is shifted out.
    shift: u32,
}

impl Index {
    /// How many positions more a list of them is to have room for, before it is indexed.
    pub(super) const SPARE: usize = WINDOW;

    /// How many of a position's top bits are its bucket, of so many points.
    pub(super) fn bits(count: usize) -> u32 {
        // 1.5 to 3 points a bucket on average, which keeps a point within 8.7 bytes.
        (count as u64 * 13 / 20).max(2).ilog2()
    }

    /// The index of positions in ascending order, at least one. `starts` says how many points are
    /// below each bucket, and below the end of the last.
    pub(super) fn new(mut positions: Vec<u32>, starts: Vec<u32>) -> Index {
        // What the search relies on without looking.
        let count = positions.len() as u32;
        assert!(
            starts.len() > 1
                && starts
                    .iter()
                    .fold(true, |fits, &start| fits & (start <= count))
        );
        positions.resize(positions.len() + Index::SPARE, u32::MAX);
        Index {
            positions: positions.into(),
            shift: u32::BITS - starts.len().ilog2(),
            starts: starts.into(),
        }
    }

    pub(super) fn positions(&self) -> &[u32] {
        &self.positions[..self.positions.len() - WINDOW]
    }

    fn search(&self) -> Search<'_> {
        Search {
            positions: &self.positions,
            starts: &self.starts,
            shift: self.shift,
        }
    }

    /// How many points are below a position.
    pub(super) fn below(&self, simd: Simd, limit: u32) -> usize {
        let search = self.search();
        match simd {
            Simd::Scalar => search.below(limit),
            // SAFETY: `Simd` says that this processor has the instructions, and these are the parts
            // of an index.
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            Simd::Avx2 | Simd::Avx512 => unsafe { avx2::below(search, limit) },
        }
    }
}

/// The parts of an index, at hand in registers.
#[derive(Clone, Copy)]
struct Search<'a> {
    positions: &'a [u32],
    starts: &'a [u32],
    shift: u32,
}

impl Search<'_> {
    fn below(self, limit: u32) -> usize {
        let start = self.starts[(limit >> self.shift) as usize];
        self.below_from(start as usize, limit)
    }

    /// The same where the first window of a bucket does not say it.
    #[cfg(target_arch = "x86_64")]
    #[cold]
    fn below_in_crowd(self, at: usize, limit: u32) -> usize {
        self.below_from(at, limit)
    }

    /// The same from a point on, before which all are below.
    fn below_from(self, mut at: usize, limit: u32) -> usize {
        loop {
            let window = self.positions[at..at + WINDOW].iter();
            match window.map(|&point| usize::from(point < limit)).sum() {
                WINDOW => at += WINDOW,
                below => return at + below,
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
    fn len(&self) -> usize {
        match self {
            Owners::Narrow(owners) => owners.len(),
            Owners::Wide(owners) => owners.len(),
        }
    }

    pub(super) fn get(&self, below: usize) -> u32 {
        match self {
            Owners::Narrow(owners) => owners[below].into(),
            Owners::Wide(owners) => owners[below],
        }
    }

    /// Puts in the place of limits the servers of the keys below them. These are the owners of the
    /// index's points.
    pub(super) fn find(&self, simd: Simd, index: &Index, limits: &mut [u32]) {
        assert!(self.len() > index.positions().len());
        match self {
            Owners::Narrow(owners) => find(simd, index.search(), owners, limits),
            Owners::Wide(owners) => find(simd, index.search(), owners, limits),
        }
    }
}

fn find<S: Copy + Into<u32>>(simd: Simd, search: Search, owners: &[S], limits: &mut [u32]) {
    match simd {
        Simd::Scalar => {
            for limit in limits {
                *limit = owners[search.below(*limit)].into();
            }
        }
        // SAFETY: `Simd` says that this processor has the instructions, and these are the parts of
        // an index and its owners.
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        Simd::Avx2 | Simd::Avx512 => unsafe { avx2::find(search, owners, limits) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(positions: &[u32]) -> Index {
        let bits = Index::bits(positions.len());
        let starts = (0..=1u64 << bits).map(|bucket| {
            let start = bucket << (u32::BITS - bits);
            positions.partition_point(|&point| u64::from(point) < start) as u32
        });
        Index::new(positions.to_vec(), starts.collect())
    }

    #[test]
    fn a_search_is_a_bisection_however_points_crowd() {
        let spread = |i: u32| i.wrapping_mul(0x9e37_79b9);
        let rings: [Vec<u32>; 7] = [
            vec![0],
            vec![u32::MAX],
            vec![5; 100],
            vec![u32::MAX; 20],
            (0..3000).map(spread).collect(),
            // In one bucket, and in few.
            (0..3000).map(|i| 0x1234_0000 + i).collect(),
            (0..3000)
                .map(|i| ((spread(i) % 7) << 29) | (i / 9))
                .collect(),
        ];
        for mut positions in rings {
            positions.sort_unstable();
            let index = index(&positions);
            let owners = Owners::Wide((0..=positions.len() as u32).collect());
            let around = |&point: &u32| [point.wrapping_sub(1), point, point.wrapping_add(1)];
            let mut limits: Vec<u32> = positions.iter().flat_map(around).collect();
            limits.extend((0..1000).map(|i| spread(i) >> 1));
            for simd in Simd::here() {
                let mut found = limits.clone();
                owners.find(simd, &index, &mut found);
                for (&limit, found) in limits.iter().zip(found) {
                    let below = positions.partition_point(|&point| point < limit);
                    assert_eq!(index.below(simd, limit), below, "{simd:?}: {limit}");
                    assert_eq!(found as usize, below, "{simd:?}: {limit}");
                }
            }
        }
    }
}
