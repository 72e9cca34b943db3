//! Lanes of AVX2.

use super::{Bytewise, Vector, shortest, take};
use crate::hash::lanes::avx2::{SIDE_BY_SIDE, VECTORS, WIDTH, load, store, vector};
use crate::hash::lanes::{Group, LANES};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// The hashes of a group's keys.
///
/// # Safety
///
/// As for [`Hash::with_avx2`](crate::hash::lanes::Hash::with_avx2).
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) unsafe fn hash<'keys, H: Bytewise>(
    group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
    words: &mut [u32; LANES],
) {
    let mut block = [const { [const { MaybeUninit::uninit() }; VECTORS] }; 16];
    let parts = group.lens.as_chunks::<SIDE_BY_SIDE>().0.iter().enumerate();
    for (pass, part) in parts.take(group.count.div_ceil(SIDE_BY_SIDE)) {
        let mut states = [_mm256_set1_epi32(H::START as i32); VECTORS];
        let lens = std::array::from_fn(|v| vector(&part[WIDTH * v..]));
        let lengths = shortest(part)..group.longest;
        for number in 0..group.longest.div_ceil(64) as usize {
            // SAFETY: the caller's promise; then the words of all bytes are loaded.
            unsafe {
                load(group, pass, number, &mut block);
                take::<H, _, VECTORS>(&mut states, &block, number, &lens, &lengths);
            }
        }
        for (state, lens) in states.iter_mut().zip(lens) {
            // SAFETY: this is code for AVX2.
            *state = unsafe { H::finish(*state, lens) };
        }
        store(&states, &mut words[SIDE_BY_SIDE * pass..]);
    }
}

impl Vector for __m256i {
    const TABLE_BITS: u32 = 3;

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        // SAFETY: the caller's code is for AVX2, as in the other functions.
        unsafe { _mm256_set1_epi32(number as i32) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm256_add_epi32(self, other) }
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm256_xor_si256(self, other) }
    }

    #[inline(always)]
    unsafe fn multiply(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm256_mullo_epi32(self, other) }
    }

    #[inline(always)]
    unsafe fn left(self, bits: u32) -> Self {
        // SAFETY: as above.
        unsafe { _mm256_sllv_epi32(self, Self::splat(bits)) }
    }

    #[inline(always)]
    unsafe fn right(self, bits: u32) -> Self {
        // SAFETY: as above.
        unsafe { _mm256_srlv_epi32(self, Self::splat(bits)) }
    }

    #[inline(always)]
    unsafe fn right_signed(self, bits: u32) -> Self {
        // SAFETY: as above.
        unsafe { _mm256_srav_epi32(self, Self::splat(bits)) }
    }

    #[inline(always)]
    unsafe fn of_table(self, table: &[u32; 16]) -> Self {
        // SAFETY: as above. The first half of the table is as long as the vector.
        unsafe { _mm256_permutevar8x32_epi32(vector(table), self) }
    }

    #[inline(always)]
    unsafe fn if_longer(self, lens: Self, at: u32, other: Self) -> Self {
        // SAFETY: as above. Keys in lanes are short enough for signed numbers.
        unsafe {
            let is_longer = _mm256_cmpgt_epi32(lens, Self::splat(at));
            _mm256_blendv_epi8(other, self, is_longer)
        }
    }
}
