//! Sorting points, whose positions are spread over the circle by a hash.
//!
//! ```text
//! sorted(points):
//!     many -> scatter them into 256 parts, each of which stays in the cache
//!     scatter by the 8 bits below the bucket's
//!     scatter by the bucket's
//!     insertion sort: so few are left to move that the processor foresees it
//! ```
//!
//! The buckets are the index's: where one ends, the next starts. All of it is stable, so that of
//! equal points those of the server that comes first are first.
#![forbid(unsafe_code)]

use crate::error::{Error, try_collect};

/// From this many on, scattering all over them would miss the cache.
const MANY: usize = 1 << 18;
const PART_BITS: u32 = 8;
const DIGIT_BITS: u32 = 8;

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
pub(super) fn sorted<S: Copy + Default + Into<u32>>(
    mut points: Vec<u32>,
    runs: impl Iterator<Item = (u32, usize)>,
    bits: u32,
    narrow: impl Fn(u32) -> S,
) -> Result<Sorted<S>, Error> {
    let count = points.len();
    let shift = u32::BITS - bits;
    let mut owners = zeros(count, count + 1)?;
    let mut keys = Vec::new();
    let mut rest = &*points;
    let each = runs.flat_map(|(owner, count)| {
        let (run, others) = rest.split_at(count);
        rest = others;
        run.iter().map(move |&position| key(position, owner))
    });
    let mut starts;
    if count < MANY {
        starts = zeros((1 << bits) + 1, (1 << bits) + 1)?;
        let ends = &mut starts[1..];
        by_digit(&points, each, shift, 0, ends, &mut keys)?;
        let keys = keys.into_iter();
        by_bucket(keys, shift, ends, &mut points, &mut owners, narrow);
        settle(&mut points, &mut owners)?;
    } else {
        let part_shift = u32::BITS - PART_BITS;
        let mut ends = [0; 1 << PART_BITS];
        for position in &points {
            ends[(position >> part_shift) as usize] += 1;
        }
        add_up(&mut ends, 0);
        let mut parted = zeros(count, points.capacity())?;
        by_bucket(
            each,
            part_shift,
            &mut ends,
            &mut parted,
            &mut owners,
            &narrow,
        );
        // Frees the others, so that what comes now may have their memory.
        points = parted;
        starts = zeros((1 << bits) + 1, (1 << bits) + 1)?;
        let buckets = 1 << (bits - PART_BITS);
        let mut start = 0;
        for (end, ends) in ends.into_iter().zip(starts[1..].chunks_exact_mut(buckets)) {
            let part = start as usize..end as usize;
            let positions = &points[part.clone()];
            let each = positions.iter().zip(&owners[part.clone()]);
            let each = each.map(|(&position, &owner)| key(position, owner.into()));
            by_digit(positions, each, shift, start, ends, &mut keys)?;
            let each = keys.iter().copied();
            by_bucket(each, shift, ends, &mut points, &mut owners, &narrow);
            settle(&mut points[part.clone()], &mut owners[part])?;
            start = end;
        }
    }
    Ok(Sorted {
        positions: points,
        owners,
        starts,
    })
}

/// A point's position above its owner.
fn key(position: u32, owner: u32) -> u64 {
    u64::from(position) << 32 | u64::from(owner)
}

/// Scatters the keys of positions by the bits below their bucket's. The ends of the buckets become
/// their starts, of which `start` is the first.
fn by_digit(
    positions: &[u32],
    keys: impl Iterator<Item = u64>,
    shift: u32,
    start: u32,
    ends: &mut [u32],
    scattered: &mut Vec<u64>,
) -> Result<(), Error> {
    scattered.try_reserve(positions.len().saturating_sub(scattered.len()))?;
    scattered.resize(positions.len(), 0);
    let digit_shift = shift.saturating_sub(DIGIT_BITS);
    let digit = |position: u64| (position >> digit_shift) as usize % (1 << DIGIT_BITS);
    let mut digits = [0; 1 << DIGIT_BITS];
    let mut count = |position: u32| {
        digits[digit(position.into())] += 1;
        ends[bucket(position.into(), shift, ends)] += 1;
    };
    // Two at a time, which the compiler does not do by itself.
    let (pairs, last) = positions.as_chunks();
    for &[one, other] in pairs {
        count(one);
        count(other);
    }
    last.iter().copied().for_each(count);
    add_up(&mut digits, 0);
    add_up(ends, start);
    keys.for_each(|key| {
        let end = &mut digits[digit(key >> 32)];
        scattered[*end as usize] = key;
        *end += 1;
    });
    Ok(())
}

/// Scatters keys into buckets, whose starts become their ends.
fn by_bucket<S>(
    keys: impl Iterator<Item = u64>,
    shift: u32,
    ends: &mut [u32],
    positions: &mut [u32],
    owners: &mut [S],
    narrow: impl Fn(u32) -> S,
) {
    let owners = &mut owners[..positions.len()];
    keys.for_each(|key| {
        let end = &mut ends[bucket(key >> 32, shift, ends)];
        positions[*end as usize] = (key >> 32) as u32;
        owners[*end as usize] = narrow(key as u32);
        *end += 1;
    });
}

/// The bucket of a position, of as many as a power of two, which it is known to be in one of.
fn bucket(position: u64, shift: u32, buckets: &[u32]) -> usize {
    (position >> shift) as usize & (buckets.len() - 1)
}

/// Makes counts sums: of those before each, and `start`.
fn add_up(counts: &mut [u32], mut start: u32) {
    for count in counts {
        (start, *count) = (start + *count, start);
    }
}

/// Sorts points that are all near their places.
fn settle<S: Copy>(positions: &mut [u32], owners: &mut [S]) -> Result<(), Error> {
    /// How many points are looked at together.
    const STRIDE: usize = 16;
    /// How far a point may be from its place.
    const FAR: usize = 64;
    for start in (1..positions.len()).step_by(STRIDE) {
        let end = positions.len().min(start + STRIDE);
        let pairs = positions[start - 1..end].windows(2);
        if !pairs.fold(false, |any, pair| any | (pair[0] > pair[1])) {
            continue;
        }
        for i in start..end {
            let (position, owner) = (positions[i], owners[i]);
            let mut at = i;
            while at > 0 && positions[at - 1] > position {
                positions[at] = positions[at - 1];
                owners[at] = owners[at - 1];
                at -= 1;
                if i - at == FAR {
                    (positions[at], owners[at]) = (position, owner);
                    return sort_crowded(positions, owners);
                }
            }
            (positions[at], owners[at]) = (position, owner);
        }
    }
    Ok(())
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
        for count in [1, 2, 3, 7, 100, 5000, MANY - 1, MANY, MANY + 5000] {
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
                let sorted = sorted(points, runs, bits, |owner| owner).unwrap();
                let got = sorted.positions.iter().copied().zip(sorted.owners);
                assert!(got.eq(expected), "{count} points, narrowed by {narrowing}");
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
