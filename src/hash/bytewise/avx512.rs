//! Lanes of AVX-512.

use super::{Bytewise, Vector, shortest, take};
use crate::hash::lanes::avx512::{WIDTH, load, store, vector};
use crate::hash::lanes::{Group, LANES};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// The hashes of a group's keys.
///
/// # Safety
///
/// As for [`Hash::with_avx512`](crate::hash::lanes::Hash::with_avx512).
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
pub(super) unsafe fn hash<'keys, H: Bytewise>(
    group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
    words: &mut [u32; LANES],
) {
    // SAFETY: the same promise.
    unsafe {
        match group.count.div_ceil(WIDTH) {
            1 => in_vectors::<H, 1>(group, words),
            2 | 3 => in_vectors::<H, 3>(group, words),
            _ => in_vectors::<H, 6>(group, words),
        }
    }
}

/// # Safety
///
/// As for [`hash`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
unsafe fn in_vectors<'keys, H: Bytewise, const N: usize>(
    group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
    words: &mut [u32; LANES],
) {
    let mut block = [const { [const { MaybeUninit::uninit() }; N] }; 16];
    let mut states = [_mm512_set1_epi32(H::START as i32); N];
    let lens = std::array::from_fn(|v| vector(&group.lens.as_chunks().0[v]));
    let lengths = shortest(&group.lens[..WIDTH * N])..group.longest;
    for number in 0..group.longest.div_ceil(64) as usize {
        // SAFETY: the caller's promise; then the words of all bytes are loaded.
        unsafe {
            load(group, number, &mut block);
            take::<H, _, N>(&mut states, &block, number, &lens, &lengths);
        }
    }
    for (state, lens) in states.iter_mut().zip(lens) {
        // SAFETY: this is code for AVX-512.
        *state = unsafe { H::finish(*state, lens) };
    }
    store(&states, words);
}

impl Vector for __m512i {
    const TABLE_BITS: u32 = 4;

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        // SAFETY: the caller's code is for AVX-512, as in the other functions.
        unsafe { _mm512_set1_epi32(number as i32) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_add_epi32(self, other) }
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_xor_si512(self, other) }
    }

    #[inline(always)]
    unsafe fn multiply(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_mullo_epi32(self, other) }
    }

    #[inline(always)]
    unsafe fn left(self, bits: u32) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_sllv_epi32(self, Self::splat(bits)) }
    }

    #[inline(always)]
    unsafe fn right(self, bits: u32) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_srlv_epi32(self, Self::splat(bits)) }
    }

    #[inline(always)]
    unsafe fn right_signed(self, bits: u32) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_srav_epi32(self, Self::splat(bits)) }
    }

    #[inline(always)]
    unsafe fn of_table(self, table: &[u32; 16]) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_permutexvar_epi32(self, vector(table)) }
    }

    #[inline(always)]
    unsafe fn if_longer(self, lens: Self, at: u32, other: Self) -> Self {
        // SAFETY: as above.
        unsafe {
            let is_longer = _mm512_cmpgt_epu32_mask(lens, Self::splat(at));
            _mm512_mask_mov_epi32(other, is_longer, self)
        }
    }
}
