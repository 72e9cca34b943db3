//! 8 lanes of 32 bits a vector, and 3 vectors side by side: MD5's states of more do not fit into 16
//! registers.

use super::Group;
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// The lanes of a vector.
pub(in crate::hash) const WIDTH: usize = 8;

pub(in crate::hash) const VECTORS: usize = 3;
pub(in crate::hash) const SIDE_BY_SIDE: usize = WIDTH * VECTORS;

/// The words of blocks; those that are not loaded are not read.
pub(in crate::hash) type Block = [[MaybeUninit<__m256i>; VECTORS]; 16];

/// Loads a block of each of 24 keys, without the number of bits; of keys below 32 bytes words 0 to 7.
///
/// `pass`: which 24.
///
/// # Safety
///
/// The group's `lens` are its keys' lengths, or less.
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
pub(in crate::hash) unsafe fn load<'keys>(
    group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
    pass: usize,
    number: usize,
    block: &mut Block,
) {
    let lens = &group.lens.as_chunks::<SIDE_BY_SIDE>().0[pass];
    let key = move |i| (group.key)(SIDE_BY_SIDE * pass + i);
    // SAFETY: the caller's promise.
    unsafe {
        if group.longest < 32 {
            load_halves::<1>(key, lens, number, block);
        } else {
            load_halves::<2>(key, lens, number, block);
        }
    }
}

/// # Safety
///
/// As for [`load`].
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
unsafe fn load_halves<'keys, const HALVES: usize>(
    key: impl Fn(usize) -> &'keys [u8],
    lens: &[u32; SIDE_BY_SIDE],
    number: usize,
    block: &mut Block,
) {
    // What is behind the keys' last whole words, all before any is read as part of a vector.
    let ends: [u32; SIDE_BY_SIDE] = std::array::from_fn(|i| end(key(i)));
    #[allow(clippy::needless_range_loop)] // v counts words' vectors, not a list's items.
    for v in 0..VECTORS {
        let from = WIDTH * v;
        let end_words = _mm256_srli_epi32::<2>(vector(&lens[from..]));
        let ends = vector(&ends[from..]);
        for half in 0..HALVES {
            let start = 64 * number + 32 * half;
            // A word is whole if the key is longer than its first three bytes.
            let bytes = _mm256_setr_epi32(3, 7, 11, 15, 19, 23, 27, 31);
            let bytes = _mm256_add_epi32(bytes, _mm256_set1_epi32(start as i32));
            let row = |i: usize| {
                let len = _mm256_set1_epi32(lens[from + i] as i32);
                let is_whole = _mm256_cmpgt_epi32(len, bytes);
                let words = key(from + i).as_ptr().wrapping_add(start);
                // SAFETY: only the key's words are read, as the mask says.
                unsafe { _mm256_maskload_epi32(words.cast(), is_whole) }
            };
            // In each half of these vectors four words of four keys.
            let low = transposed([row(0), row(1), row(2), row(3)]);
            let high = transposed([row(4), row(5), row(6), row(7)]);
            let mut put = |word: usize, vector| {
                let here = _mm256_set1_epi32((start / 4 + word) as i32);
                let is_here = _mm256_cmpeq_epi32(end_words, here);
                let vector = _mm256_or_si256(vector, _mm256_and_si256(is_here, ends));
                block[8 * half + word][v].write(vector);
            };
            for word in 0..4 {
                let (low, high) = (low[word], high[word]);
                put(word, _mm256_permute2x128_si256::<0x20>(low, high));
                put(word + 4, _mm256_permute2x128_si256::<0x31>(low, high));
            }
        }
    }
}

/// Loads the keys' numbers of bits, which are less than 2^32.
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
pub(in crate::hash) fn bits(lens: &[u32], block: &mut Block) {
    for (word, lens) in block[14].iter_mut().zip(lens.chunks_exact(WIDTH)) {
        word.write(_mm256_slli_epi32::<3>(vector(lens)));
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
pub(in crate::hash) fn vector(words: &[u32]) -> __m256i {
    let words: &[u32; WIDTH] = words.first_chunk().expect("8 words");
    // SAFETY: so many are there.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}

/// What is behind a key's last whole word: its last bytes, and the bit behind them.
#[inline]
fn end(key: &[u8]) -> u32 {
    let bits = 8 * (key.len() % 4);
    let bytes = match key.last_chunk() {
        // No bytes: all are shifted out.
        Some(last) => (u64::from(u32::from_le_bytes(*last)) << bits >> 32) as u32,
        None => (0..key.len()).fold(0, |bytes, i| bytes | u32::from(key[i]) << (8 * i)),
    };
    bytes | 0x80 << bits
}

/// In each half of the vectors, the 4 by 4 words transposed.
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
fn transposed(rows: [__m256i; 4]) -> [__m256i; 4] {
    let low = [
        _mm256_unpacklo_epi32(rows[0], rows[1]),
        _mm256_unpacklo_epi32(rows[2], rows[3]),
    ];
    let high = [
        _mm256_unpackhi_epi32(rows[0], rows[1]),
        _mm256_unpackhi_epi32(rows[2], rows[3]),
    ];
    [
        _mm256_unpacklo_epi64(low[0], low[1]),
        _mm256_unpackhi_epi64(low[0], low[1]),
        _mm256_unpacklo_epi64(high[0], high[1]),
        _mm256_unpackhi_epi64(high[0], high[1]),
    ]
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
pub(in crate::hash) fn store(vectors: &[__m256i; VECTORS], words: &mut [u32]) {
    for (vector, words) in vectors.iter().zip(words.chunks_exact_mut(WIDTH)) {
        // SAFETY: there are 8 words.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), *vector) };
    }
}
