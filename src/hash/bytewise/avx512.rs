//! Lanes of AVX-512.

use super::{Bytewise, Vector};
use crate::hash::lanes::avx512::{WIDTH, load, load_short, store, vector};
use crate::hash::lanes::{LANES, Lens};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// The hashes of `count` keys; the others' may be anything.
///
/// # Safety
///
/// `lens` are the keys' lengths, or less, and `longest` is their maximum.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
pub(super) unsafe fn hash<'keys, H: Bytewise>(
    key: impl Fn(usize) -> &'keys [u8] + Copy,
    lens: &Lens,
    count: usize,
    longest: u32,
    words: &mut [u32; LANES],
) {
    // SAFETY: the same promise.
    unsafe {
        match count.div_ceil(WIDTH) {
            1 => in_vectors::<H, 1>(key, lens, longest, words),
            2 | 3 => in_vectors::<H, 3>(key, lens, longest, words),
            _ => in_vectors::<H, 6>(key, lens, longest, words),
        }
    }
}

/// # Safety
///
/// As for [`hash`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
unsafe fn in_vectors<'keys, H: Bytewise, const N: usize>(
    key: impl Fn(usize) -> &'keys [u8] + Copy,
    lens: &Lens,
    longest: u32,
    words: &mut [u32; LANES],
) {
    let parts = lens.as_chunks::<WIDTH>().0;
    let mut block = [const { [const { MaybeUninit::uninit() }; N] }; 16];
    let mut states = [_mm512_set1_epi32(H::START as i32); N];
    let shortest = lens[..WIDTH * N]
        .iter()
        .fold(u32::MAX, |shortest, &len| shortest.min(len));
    let of_lanes = std::array::from_fn(|v| vector(&parts[v]));
    for number in 0..longest.div_ceil(64) as usize {
        for (v, lens) in parts[..N].iter().enumerate() {
            let key = move |i| key(WIDTH * v + i);
            // SAFETY: the caller's promise.
            unsafe {
                if longest < 32 {
                    load_short(key, lens, &mut block, v);
                } else {
                    load(key, lens, number, &mut block, v);
                }
            }
        }
        // SAFETY: the words of all bytes are loaded.
        unsafe {
            super::take::<H, _, N>(&mut states, &block, number, &of_lanes, shortest, longest)
        };
    }
    for (state, lens) in states.iter_mut().zip(of_lanes) {
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
