//! MD5, whose little-endian words are points and the positions of keys.
//!
//! A key needs the first word alone, which is final after 61 of a block's 64 steps. One key is
//! bound by the length of that chain, so that many keys are hashed side by side in
//! [`lanes`](super::lanes), and so are the node strings of a new ring.
//!
//! Each instruction set has a file with the same functions; the `md-5` crate is the oracle of all.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx512;
mod nodes;
#[allow(unsafe_code)]
mod scalar;

use super::lanes::{Group, Hash, LANES};
use super::simd::Simd;
use md5::{Digest, Md5};

pub(crate) use nodes::Nodes;

/// The state before the first block.
const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// `floor(2^32 * abs(sin(step + 1)))`.
#[rustfmt::skip]
const CONSTANTS: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

/// The steps of a block up to the 61st, which ends with the first word in `a`. `step!(F, at, word,
/// turn, a b c d)` is to do one: with function F, CONSTANTS[at], a word of the block, and a rotation.
macro_rules! first_steps {
    ($step:ident, $a:ident $b:ident $c:ident $d:ident) => {
        first_steps!(@round $step, F, [7 12 17 22], $a $b $c $d,
            0: [0 1 2 3], 4: [4 5 6 7], 8: [8 9 10 11], 12: [12 13 14 15]);
        first_steps!(@round $step, G, [5 9 14 20], $a $b $c $d,
            16: [1 6 11 0], 20: [5 10 15 4], 24: [9 14 3 8], 28: [13 2 7 12]);
        first_steps!(@round $step, H, [4 11 16 23], $a $b $c $d,
            32: [5 8 11 14], 36: [1 4 7 10], 40: [13 0 3 6], 44: [9 12 15 2]);
        first_steps!(@round $step, I, [6 10 15 21], $a $b $c $d,
            48: [0 7 14 5], 52: [12 3 10 1], 56: [8 15 6 13]);
        $step!(I, 60, 4, 6, $a $b $c $d);
    };
    (@round $step:ident, $f:ident, $turns:tt, $a:ident $b:ident $c:ident $d:ident,
     $($at:literal: $words:tt),*) => {
        $(first_steps!(@four $step, $f, $at, $words, $turns, $a $b $c $d);)*
    };
    (@four $step:ident, $f:ident, $at:literal, [$w0:literal $w1:literal $w2:literal $w3:literal],
     [$t0:literal $t1:literal $t2:literal $t3:literal], $a:ident $b:ident $c:ident $d:ident) => {
        $step!($f, $at, $w0, $t0, $a $b $c $d);
        $step!($f, $at + 1, $w1, $t1, $d $a $b $c);
        $step!($f, $at + 2, $w2, $t2, $c $d $a $b);
        $step!($f, $at + 3, $w3, $t3, $b $c $d $a);
    };
}

/// The other three, where a block follows.
#[cfg(target_arch = "x86_64")]
macro_rules! last_steps {
    ($step:ident, $a:ident $b:ident $c:ident $d:ident) => {
        $step!(I, 61, 11, 10, $d $a $b $c);
        $step!(I, 62, 2, 15, $c $d $a $b);
        $step!(I, 63, 9, 21, $b $c $d $a);
    };
}
use first_steps;
#[cfg(target_arch = "x86_64")]
use last_steps;

pub(crate) fn digest(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// The digest as four little-endian words: the points that it stands for.
pub(crate) fn words(bytes: &[u8]) -> [u32; 4] {
    let digest = digest(bytes);
    std::array::from_fn(|i| u32::from_le_bytes(std::array::from_fn(|j| digest[4 * i + j])))
}

/// The first of these words: the position of a key.
#[inline]
pub(crate) fn first_word(simd: Simd, key: &[u8]) -> u32 {
    match key.len() {
        ..32 => only_block::<true>(simd, &padded(key)),
        32..56 => only_block::<false>(simd, &padded(key)),
        _ => words(key)[0],
    }
}

#[inline]
fn only_block<const SHORT: bool>(simd: Simd, block: &[u8; 64]) -> u32 {
    match simd {
        Simd::Scalar => scalar::first_word::<SHORT>(block),
        // SAFETY: `Simd` says that this processor has the instructions.
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        Simd::Avx2 | Simd::Avx512 => unsafe { scalar::first_word_with_bmi::<SHORT>(block) },
    }
}

/// The only block of a key, with MD5's padding: a bit behind its last byte, zeros, and its length in
/// bits. What is read of it as one is written as one, and need not wait for several stores.
#[inline]
fn padded(key: &[u8]) -> [u8; 64] {
    let mut block = [0; 64];
    let (mut rest, mut to) = (key, &mut block[..]);
    macro_rules! copy {
        ($size:literal) => {
            if let Some((bytes, behind)) = rest.split_first_chunk::<$size>() {
                to[..$size].copy_from_slice(bytes);
                (rest, to) = (behind, &mut to[$size..]);
            }
        };
    }
    copy!(32);
    copy!(16);
    copy!(8);
    let bits = 8 * rest.len();
    let end = match key.last_chunk() {
        // Only the rest; of none, all 64 bits are shifted out.
        Some(last) => u64::from_le_bytes(*last) >> 1 >> (63 - bits),
        None => short(key),
    };
    to[..8].copy_from_slice(&(end | 0x80 << bits).to_le_bytes());
    block[56..].copy_from_slice(&(8 * key.len() as u64).to_le_bytes());
    block
}

/// A key below 8 bytes.
#[inline]
fn short(key: &[u8]) -> u64 {
    let half = |bytes| u64::from(u32::from_le_bytes(bytes));
    match (key.first_chunk(), key.last_chunk()) {
        (Some(first), Some(last)) => half(*first) | half(*last) << (8 * (key.len() - 4)),
        _ => key
            .iter()
            .rev()
            .fold(0, |end, &byte| end << 8 | u64::from(byte)),
    }
}

/// The first word of a key's digest, in lanes.
pub(crate) struct FirstWord;

impl Hash for FirstWord {
    fn one(simd: Simd, key: &[u8]) -> u32 {
        first_word(simd, key)
    }

    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    unsafe fn with_avx2<'keys>(
        group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
        words: &mut [u32; LANES],
    ) {
        // SAFETY: the caller's promise.
        unsafe { avx2::first_words(group, words) }
    }

    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    unsafe fn with_avx512<'keys>(
        group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
        words: &mut [u32; LANES],
    ) {
        // SAFETY: the caller's promise.
        unsafe { avx512::first_words(group, words) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::lanes::tests::check;

    #[test]
    fn the_first_word_is_that_of_the_whole_digest() {
        let bytes: Vec<u8> = (0..=255)
            .cycle()
            .map(|i: u8| i.wrapping_mul(167))
            .take(4096)
            .collect();
        for len in 0..200 {
            for start in 0..64 {
                let message = &bytes[61 * start..][..len];
                for simd in Simd::here() {
                    assert_eq!(
                        first_word(simd, message),
                        words(message)[0],
                        "{len} bytes from {start}, {simd:?}"
                    );
                }
            }
        }
        check::<FirstWord>(|key| words(key)[0]);
    }
}
