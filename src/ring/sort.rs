//! Sorting points, whose positions are spread over the circle by a hash.
//!
//! ```text
//! sorted(points):
//!     many -> scatter them into 256 parts, each of which stays in the cache
//!     scatter by bucket
//!     a few times, exchange neighbours that are in the wrong order, many at once
//!     insertion sort: so few are left to move that the processor foresees it
//! ```
//!
//! The buckets are the index's: where one ends, the next starts. All of it is stable, so that of
//! equal points those of the server that comes first are first.
#![deny(unsafe_code)]

use crate::error::{Error, try_collect};
use crate::hash::simd::Simd;
use std::ops::Range;

/// From this many on, scattering all over them would miss the cache.
const MANY: usize = 1 << 18;
const PART_BITS: u32 = 8;
/// How often neighbours are exchanged. With 1.5 to 3 points a bucket few are left to move then.
const EXCHANGES: usize = 6;

/// Points in ascending order.
pub(super) struct Sorted<S> {
    pub(super) positions: Vec<u32>,
    pub(super) owners: Vec<S>,
    /// How many points are below each bucket, and below the end of the last.
    pub(super) starts: Vec<u32>,
}

/// Sorts points, which belong to runs of owners, by position. They are best spread evenly over the
/// buckets, which are the top `bits`. Room is left in `positions` as in `points`, and in `owners`
/// for one more.
pub(super) fn sorted<S: Copy + Default>(
    points: Vec<u32>,
    runs: impl Iterator<Item = (u32, usize)>,
    bits: u32,
    narrow: impl Fn(u32) -> S,
    simd: Simd,
) -> Result<Sorted<S>, Error> {
    let count = points.len();
    let shift = u32::BITS - bits;
    let mut rest = &*points;
    let runs = runs.map(|(owner, count)| {
        let (run, others) = rest.split_at(count);
        rest = others;
        (run, narrow(owner))
    });
    let mut positions = zeros(count, points.capacity())?;
    let mut owners = zeros(count, count + 1)?;
    let mut starts = zeros((1 << bits) + 1, (1 << bits) + 1)?;
    if count < MANY {
        let ends = &mut starts[1..];
        count_up(&points, shift, 0, ends);
        scatter(runs, shift, ends, &mut positions, &mut owners);
        settle(&mut positions, &mut owners, simd)?;
    } else {
        let part_shift = u32::BITS - PART_BITS;
        let mut ends = [0; 1 << PART_BITS];
        count_up(&points, part_shift, 0, &mut ends);
        scatter(runs, part_shift, &mut ends, &mut positions, &mut owners);
        // What they were in has room for a part of them.
        let mut from = points;
        let mut of = Vec::new();
        let buckets = 1 << (bits - PART_BITS);
        let mut start = 0;
        for (end, ends) in ends.into_iter().zip(starts[1..].chunks_exact_mut(buckets)) {
            let part = start as usize..end as usize;
            from.clear();
            from.extend_from_slice(&positions[part.clone()]);
            of.clear();
            of.try_reserve(part.len())?;
            of.extend_from_slice(&owners[part.clone()]);
            count_up(&from, shift, start, ends);
            let each = from.chunks(1).zip(of.iter().copied());
            scatter(each, shift, ends, &mut positions, &mut owners);
            settle(&mut positions[part.clone()], &mut owners[part], simd)?;
            start = end;
        }
    }
    Ok(Sorted {
        positions,
        owners,
        starts,
    })
}

/// Counts how many of the positions are in the buckets before each, and `start`.
fn count_up(positions: &[u32], shift: u32, mut start: u32, ends: &mut [u32]) {
    let mut count = |position| ends[bucket(position, shift, ends)] += 1;
    // Two at a time, which the compiler does not do by itself.
    let (pairs, last) = positions.as_chunks();
    for &[one, other] in pairs {
        count(one);
        count(other);
    }
    last.iter().copied().for_each(count);
    for end in ends {
        (start, *end) = (start + *end, start);
    }
}

/// Puts points behind those of their bucket, where the next one's is then.
#[inline(always)]
fn scatter<'a, S: Copy>(
    runs: impl Iterator<Item = (&'a [u32], S)>,
    shift: u32,
    ends: &mut [u32],
    positions: &mut [u32],
    owners: &mut [S],
) {
    let owners = &mut owners[..positions.len()];
    for (run, owner) in runs {
        for &position in run {
            let end = &mut ends[bucket(position, shift, ends)];
            positions[*end as usize] = position;
            owners[*end as usize] = owner;
            *end += 1;
        }
    }
}

/// The bucket of a position, of as many as a power of two, which it is known to be in one of.
#[inline(always)]
fn bucket(position: u32, shift: u32, buckets: &[u32]) -> usize {
    (position >> shift) as usize & (buckets.len() - 1)
}

/// Exchanges neighbours in the wrong order, [`EXCHANGES`] times.
fn exchange<S: Copy>(positions: &mut [u32], owners: &mut [S], simd: Simd) {
    match simd {
        Simd::Scalar => exchange_plainly(positions, owners),
        // SAFETY: `Simd` says that this processor has the instructions.
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        Simd::Avx2 => unsafe { exchange_with_avx2(positions, owners) },
        // SAFETY: the same.
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        Simd::Avx512 => unsafe { exchange_with_avx512(positions, owners) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn exchange_with_avx2<S: Copy>(positions: &mut [u32], owners: &mut [S]) {
    exchange_plainly(positions, owners);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn exchange_with_avx512<S: Copy>(positions: &mut [u32], owners: &mut [S]) {
    exchange_plainly(positions, owners);
}

/// The same, for the compiler to do in vectors: without a branch.
#[inline(always)]
fn exchange_plainly<S: Copy>(positions: &mut [u32], owners: &mut [S]) {
    for time in 0..EXCHANGES {
        let first = positions.len().min(time % 2);
        let positions = positions[first..].as_chunks_mut().0;
        let owners = owners[first..].as_chunks_mut().0;
        for (positions, owners) in positions.iter_mut().zip(owners) {
            let [one, other] = *positions;
            let [its, others] = *owners;
            *positions = [one.min(other), one.max(other)];
            *owners = if other < one {
                [others, its]
            } else {
                [its, others]
            };
        }
    }
}

/// Sorts points that are all near their places.
fn settle<S: Copy>(positions: &mut [u32], owners: &mut [S], simd: Simd) -> Result<(), Error> {
    /// How many points are looked at together.
    const STRIDE: usize = 32;
    exchange(positions, owners, simd);
    let mut start = 1;
    while start < positions.len() {
        let end = positions.len().min(start + STRIDE);
        let before: Option<&[u32; STRIDE]> = positions[start - 1..].first_chunk();
        let here: Option<&[u32; STRIDE]> = positions[start..].first_chunk();
        let is_sorted = before.zip(here).is_some_and(|(before, here)| {
            let pairs = before.iter().zip(here);
            pairs.fold(true, |all, (before, here)| all & (before <= here))
        });
        if !is_sorted && !insert(positions, owners, start..end) {
            return sort_crowded(positions, owners);
        }
        start = end;
    }
    Ok(())
}

/// Puts points into their places among those before them, unless one's is too far away.
#[inline(never)]
fn insert<S: Copy>(positions: &mut [u32], owners: &mut [S], points: Range<usize>) -> bool {
    /// How far a point may be from its place.
    const FAR: usize = 64;
    for i in points {
        let (position, owner) = (positions[i], owners[i]);
        let mut at = i;
        while at > 0 && positions[at - 1] > position && i - at < FAR {
            positions[at] = positions[at - 1];
            owners[at] = owners[at - 1];
            at -= 1;
        }
        (positions[at], owners[at]) = (position, owner);
        if i - at == FAR {
            return false;
        }
    }
    true
}

/// Sorts points that are not spread evenly.
fn sort_crowded<S: Copy>(positions: &mut [u32], owners: &mut [S]) -> Result<(), Error> {
    let points = positions.iter().zip(&*owners).enumerate();
    let points = points.map(|(place, (&position, &owner))| (position, place, owner));
    let mut points = try_collect(points)?;
    points.sort_unstable_by_key(|&(position, place, _)| (position, place));
    for ((position, owner), &(to, _, of)) in positions.iter_mut().zip(owners).zip(&points) {
        (*position, *owner) = (to, of);
    }
    Ok(())
}

/// How many of the positions, in ascending order, are below each bucket, and below the end of the
/// last.
pub(super) fn starts(positions: &[u32], bits: u32) -> Result<Vec<u32>, Error> {
    let mut starts = zeros((1 << bits) + 1, (1 << bits) + 1)?;
    for position in positions {
        starts[(position >> (u32::BITS - bits)) as usize + 1] += 1;
    }
    for bucket in 1..starts.len() {
        starts[bucket] += starts[bucket - 1];
    }
    Ok(starts)
}

fn zeros<T: Clone + Default>(count: usize, room: usize) -> Result<Vec<T>, Error> {
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(room)?;
    zeros.resize(count, T::default());
    Ok(zeros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_sorted_however_they_are_spread() {
        for (count, simd) in [1, 2, 3, 7, 100, 5000, MANY - 1, MANY, MANY + 5000]
            .into_iter()
            .flat_map(|count| Simd::here().map(move |simd| (count, simd)))
        {
            let mut state = 1u64;
            let random: Vec<u32> = (0..count)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (state >> 32) as u32
                })
                .collect();
            // Spread, with many ties, in three buckets, all in one, in one with many ties, in few
            // places of the circle, and all the same.
            let narrowings: [fn(u32) -> u32; 8] = [
                |n| n,
                |n| n & 0xffff_0000,
                |n| ((n % 3) << 30) | (n >> 10),
                |n| (n >> 10) | (7 << 28),
                |n| (n >> 20) | (7 << 28),
                |n| n >> 26,
                |n| ((n % 3) << 30) | (n >> 18),
                |_| 7 << 28,
            ];
            for (narrowing, narrowed) in narrowings.into_iter().enumerate() {
                let points: Vec<u32> = random.iter().map(|&n| narrowed(n)).collect();
                // The last run has what is left; one is empty.
                let runs = [count / 3, 0, count / 2];
                let left = count - runs.iter().sum::<usize>();
                let runs = (0..).zip(runs.into_iter().chain([left]));
                let mut expected: Vec<(u32, u32)> = Vec::new();
                for (owner, len) in runs.clone() {
                    let run = &points[expected.len()..][..len];
                    expected.extend(run.iter().map(|&point| (point, owner)));
                }
                expected.sort();
                let bits = count.max(2).ilog2();
                let sorted = sorted(points, runs, bits, |owner| owner, simd).unwrap();
                let got = sorted.positions.iter().copied().zip(sorted.owners);
                assert!(
                    got.eq(expected),
                    "{simd:?}, {count} points, narrowed by {narrowing}"
                );
                assert_eq!(sorted.starts.len(), (1 << bits) + 1);
                for (bucket, &start) in (0u64..).zip(&sorted.starts) {
                    let limit = bucket << (u32::BITS - bits);
                    let below = sorted
                        .positions
                        .partition_point(|&at| u64::from(at) < limit);
                    assert_eq!(start as usize, below);
                }
            }
        }
    }
}
