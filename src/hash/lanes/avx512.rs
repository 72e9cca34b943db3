//! 16 lanes of 32 bits a vector.

use super::{Group, LANES};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// The lanes of a vector.
pub(in crate::hash) const WIDTH: usize = 16;

/// The words of the blocks of keys in N vectors; those that are not loaded are not read.
pub(in crate::hash) type Block<const N: usize> = [[MaybeUninit<__m512i>; N]; 16];

/// Loads a block of each key, without the number of bits; of keys below 32 bytes words 0 to 7.
///
/// # Safety
///
/// The group's `lens` are its keys' lengths, or less.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
pub(in crate::hash) unsafe fn load<'keys, const N: usize>(
    group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
    number: usize,
    block: &mut Block<N>,
) {
    for (v, lens) in group.lens.as_chunks().0.iter().take(N).enumerate() {
        let key = move |i| (group.key)(WIDTH * v + i);
        // SAFETY: the caller's promise.
        unsafe {
            if group.longest < 32 {
                load_short(key, lens, block, v);
            } else {
                load_long(key, lens, number, block, v);
            }
        }
    }
}

/// Loads 16 keys below 32 bytes as vector `v` of a block, of which words from 8 on are left as they
/// are.
///
/// # Safety
///
/// `lens` are the keys' lengths, or less.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
unsafe fn load_short<'keys, const N: usize>(
    key: impl Fn(usize) -> &'keys [u8],
    lens: &[u32; WIDTH],
    block: &mut Block<N>,
    v: usize,
) {
    let bytes = |i: usize| {
        let mask = _bzhi_u32(u32::MAX, lens[i]);
        // SAFETY: no byte from the key's end on is read, as the mask says.
        unsafe { _mm256_maskz_loadu_epi8(mask, key(i).as_ptr().cast()) }
    };
    let row = |i| {
        let low = _mm512_castsi256_si512(bytes(i));
        _mm512_inserti64x4::<1>(low, bytes(i + 4))
    };
    // In each quarter four words of four keys: below 4 and from 4 on, of the keys of a half.
    let low = transposed([row(0), row(1), row(2), row(3)]);
    let high = transposed([row(8), row(9), row(10), row(11)]);
    let end = End::of(lens, 0);
    for word in 0..4 {
        let first = _mm512_shuffle_i32x4::<0b10_00_10_00>(low[word], high[word]);
        let second = _mm512_shuffle_i32x4::<0b11_01_11_01>(low[word], high[word]);
        block[word][v].write(end.put(word, first));
        block[word + 4][v].write(end.put(word + 4, second));
    }
}

/// Loads a block of each of 16 keys as vector `v`, without the number of bits.
///
/// # Safety
///
/// As for [`load_short`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
unsafe fn load_long<'keys, const N: usize>(
    key: impl Fn(usize) -> &'keys [u8],
    lens: &[u32; WIDTH],
    number: usize,
    block: &mut Block<N>,
    v: usize,
) {
    let start = 64 * number;
    let row = |i: usize| {
        let rest = lens[i].saturating_sub(start as u32);
        let mask = _bzhi_u64(u64::MAX, rest);
        // SAFETY: no byte from the key's end on is read, as the mask says.
        unsafe { _mm512_maskz_loadu_epi8(mask, key(i).as_ptr().wrapping_add(start).cast()) }
    };
    transpose(row, block, v);
    let end = End::of(lens, number);
    for (word, vectors) in block.iter_mut().enumerate() {
        // SAFETY: `transpose` has written it.
        let vector = unsafe { vectors[v].assume_init() };
        vectors[v].write(end.put(word, vector));
    }
}

/// The bit behind the last byte of 16 keys.
struct End {
    /// The words that it is in, from the block's first.
    word: __m512i,
    /// Those words, which are 0 otherwise.
    bit: __m512i,
}

impl End {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
    #[inline]
    fn of(lens: &[u32; WIDTH], number: usize) -> End {
        let lens = vector(lens);
        let byte = _mm512_and_si512(lens, _mm512_set1_epi32(3));
        let word = _mm512_srli_epi32::<2>(lens);
        End {
            word: _mm512_sub_epi32(word, _mm512_set1_epi32(16 * number as i32)),
            bit: _mm512_sllv_epi32(_mm512_set1_epi32(0x80), _mm512_slli_epi32::<3>(byte)),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
    #[inline]
    fn put(&self, word: usize, vector: __m512i) -> __m512i {
        let is_here = _mm512_cmpeq_epi32_mask(self.word, _mm512_set1_epi32(word as i32));
        _mm512_mask_or_epi32(vector, is_here, vector, self.bit)
    }
}

/// The words of 16 rows of 64 bytes, as vector `v` of a block.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
fn transpose<const N: usize>(row: impl Fn(usize) -> __m512i, block: &mut Block<N>, v: usize) {
    let quarters: [[__m512i; 4]; 4] = [
        transposed([row(0), row(1), row(2), row(3)]),
        transposed([row(4), row(5), row(6), row(7)]),
        transposed([row(8), row(9), row(10), row(11)]),
        transposed([row(12), row(13), row(14), row(15)]),
    ];
    for word in 0..4 {
        let [a, b, c, d] = quarters.map(|quarter| quarter[word]);
        // Quarters 0 and 1 of two rows, and 2 and 3.
        let ab_low = _mm512_shuffle_i32x4::<0b01_00_01_00>(a, b);
        let ab_high = _mm512_shuffle_i32x4::<0b11_10_11_10>(a, b);
        let cd_low = _mm512_shuffle_i32x4::<0b01_00_01_00>(c, d);
        let cd_high = _mm512_shuffle_i32x4::<0b11_10_11_10>(c, d);
        block[word][v].write(_mm512_shuffle_i32x4::<0b10_00_10_00>(ab_low, cd_low));
        block[word + 4][v].write(_mm512_shuffle_i32x4::<0b11_01_11_01>(ab_low, cd_low));
        block[word + 8][v].write(_mm512_shuffle_i32x4::<0b10_00_10_00>(ab_high, cd_high));
        block[word + 12][v].write(_mm512_shuffle_i32x4::<0b11_01_11_01>(ab_high, cd_high));
    }
}

/// In each quarter of the vectors, the 4 by 4 words transposed.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
fn transposed(rows: [__m512i; 4]) -> [__m512i; 4] {
    let low = [
        _mm512_unpacklo_epi32(rows[0], rows[1]),
        _mm512_unpacklo_epi32(rows[2], rows[3]),
    ];
    let high = [
        _mm512_unpackhi_epi32(rows[0], rows[1]),
        _mm512_unpackhi_epi32(rows[2], rows[3]),
    ];
    [
        _mm512_unpacklo_epi64(low[0], low[1]),
        _mm512_unpackhi_epi64(low[0], low[1]),
        _mm512_unpacklo_epi64(high[0], high[1]),
        _mm512_unpackhi_epi64(high[0], high[1]),
    ]
}

/// The lengths of 16 keys in bits, which are less than 2^32.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
pub(in crate::hash) fn bits(lens: &[u32; WIDTH]) -> __m512i {
    _mm512_slli_epi32::<3>(vector(lens))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
pub(in crate::hash) fn vector(words: &[u32; WIDTH]) -> __m512i {
    // SAFETY: there are 16 of them.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
pub(in crate::hash) fn store<const N: usize>(vectors: &[__m512i; N], words: &mut [u32; LANES]) {
    for (vector, words) in vectors.iter().zip(words.chunks_exact_mut(WIDTH)) {
        // SAFETY: there are 16 words.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), *vector) };
    }
}
