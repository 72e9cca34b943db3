//! Sorting points, whose positions are spread over the circle by a hash.
//!
//! ```text
//! spread(numbers):                    in as many buckets as numbers, by their top bits
//!     many -> first into 256 parts, so that what a part is scattered over stays in the cache
//!     count what goes into each bucket, and scatter
//!     sort each bucket: most have one number or two
//! ```
#![forbid(unsafe_code)]

use crate::error::Error;
use std::iter;

/// Above this many, scattering all over them would miss the cache.
const MANY: usize = 1 << 17;
const PARTS: u32 = 8;
/// Up to this many are sorted one by one.
const SMALL: usize = 16;

/// Sorts numbers whose top bits are spread evenly; others too, but no faster than others do.
pub(super) fn spread(mut numbers: Vec<u64>) -> Result<Vec<u64>, Error> {
    let count = numbers.len();
    let mut sorted = Vec::new();
    sorted.try_reserve_exact(count)?;
    sorted.resize(count, 0);
    let mut ends = Vec::new();
    let bits = count.max(2).ilog2();
    ends.try_reserve_exact(1 << bits)?;
    if count < MANY {
        scatter(&numbers, &mut sorted, 0, bits, &mut ends);
        sort_buckets(&mut sorted, &ends);
        return Ok(sorted);
    }
    scatter(&numbers, &mut sorted, 0, PARTS, &mut ends);
    // A copy: the memory of `ends` is reserved for the largest part that there can be.
    let borders: Vec<u32> = iter::once(0).chain(ends.iter().copied()).collect();
    for part in borders.windows(2) {
        let part = part[0] as usize..part[1] as usize;
        let (from, to) = (&sorted[part.clone()], &mut numbers[part]);
        let bits = from.len().max(2).ilog2();
        scatter(from, to, PARTS, bits, &mut ends);
        sort_buckets(to, &ends);
    }
    Ok(numbers)
}

/// Scatters numbers by the `bits` below their `skipped` top bits, and says where each bucket ends.
fn scatter(from: &[u64], to: &mut [u64], skipped: u32, bits: u32, ends: &mut Vec<u32>) {
    let bucket = |number: u64| (number << skipped >> (u64::BITS - bits)) as usize;
    ends.clear();
    ends.resize(1 << bits, 0);
    for &number in from {
        ends[bucket(number)] += 1;
    }
    let mut start = 0;
    for end in &mut *ends {
        (start, *end) = (start + *end, start);
    }
    for &number in from {
        let end = &mut ends[bucket(number)];
        to[*end as usize] = number;
        *end += 1;
    }
}

fn sort_buckets(numbers: &mut [u64], ends: &[u32]) {
    let mut start = 0;
    for &end in ends {
        let end = end as usize;
        if end - start <= SMALL {
            insertion_sort(&mut numbers[start..end]);
        } else {
            numbers[start..end].sort_unstable();
        }
        start = end;
    }
}

fn insertion_sort(numbers: &mut [u64]) {
    for i in 1..numbers.len() {
        let number = numbers[i];
        let mut at = i;
        while at > 0 && numbers[at - 1] > number {
            numbers[at] = numbers[at - 1];
            at -= 1;
        }
        numbers[at] = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_however_they_are_spread() {
        for count in [0, 1, 2, 3, 7, 100, 5000, MANY - 1, MANY, 2 * MANY + 1] {
            let mut state = 1u64;
            let random: Vec<u64> = (0..count)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    state ^ state >> 29
                })
                .collect();
            // Spread, in three buckets, and all in one.
            let narrowings: [fn(u64) -> u64; 3] = [
                |n| n,
                |n| ((n % 3) << 62) | (n >> 40),
                |n| (n >> 40) | (7 << 60),
            ];
            for narrowed in narrowings {
                let numbers: Vec<u64> = random
                    .iter()
                    .map(|&n: &u64| -> u64 { narrowed(n) })
                    .collect();
                let mut expected = numbers.clone();
                expected.sort_unstable();
                assert!(spread(numbers).unwrap() == expected, "{count}");
            }
        }
    }
}
