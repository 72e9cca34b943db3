//! The same search with a window of 8 points in one vector, and without checks of bounds, which cost
//! as much as the rest.

use super::{Search, WINDOW};
use std::arch::x86_64::*;

/// How many points are below a position.
///
/// # Safety
///
/// - The processor has AVX2 and BMI1.
/// - `search` is of an index: there are as many starts as positions have buckets, none is above the
///   number of points, and behind the points there is a window of `u32::MAX`, which is below nothing.
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
pub(super) unsafe fn below(search: Search, limit: u32) -> usize {
    let bucket = (limit >> search.shift) as usize;
    // SAFETY: this is a bucket's number.
    let at = unsafe { *search.starts.get_unchecked(bucket) } as usize;
    // SAFETY: the window begins at a point or right behind them all.
    let window = unsafe { _mm256_loadu_si256(search.positions.as_ptr().add(at).cast()) };
    let limits = _mm256_set1_epi32(limit as i32);
    let is_not_below = _mm256_cmpeq_epi32(_mm256_max_epu32(window, limits), window);
    match _mm256_movemask_ps(_mm256_castsi256_ps(is_not_below)) {
        0 => search.below_in_crowd(at + WINDOW, limit),
        mask => at + mask.trailing_zeros() as usize,
    }
}

/// Puts in the place of limits the owners of the keys below them.
///
/// # Safety
///
/// As for [`below`], and `owners` has one more than there are points.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) unsafe fn find<S: Copy + Into<u32>>(search: Search, owners: &[S], limits: &mut [u32]) {
    for limit in limits {
        // SAFETY: the caller's promise.
        let below = unsafe { below(search, *limit) };
        // SAFETY: no more than all points are below a limit.
        *limit = unsafe { *owners.get_unchecked(below) }.into();
    }
}
