//! The first word of one block's MD5, as fast as one key can have it.
//!
//! A step is `a = b + rotate(a + f(b, c, d) + constant + word)`, and each waits for the `b` of the
//! one before. So `b` comes last into each sum, which is all that this file does:
//!
//! - F as `d ^ (b & (c ^ d))`, H as `b ^ (c ^ d)` and I as `c ^ (b | !d)`: what is without `b` is
//!   ready before.
//! - G's halves `b & d` and `c & !d` share no bit, so both are added, the second early.
//! - The compiler would add in an order of its own; [`settled`] keeps it from that.
//!
//! The first word is final after 61 of the 64 steps.

/// The state before the first block.
const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// `floor(2^32 * abs(sin(step + 1)))`.
#[rustfmt::skip]
const CONSTANTS: [u32; 61] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82,
];

/// A sum that the compiler is not to take apart again.
#[inline(always)]
#[cfg(target_arch = "x86_64")]
fn settled(mut sum: u32) -> u32 {
    // SAFETY: there is no instruction in it.
    unsafe {
        std::arch::asm!("/* {0:e} */", inout(reg) sum, options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

#[cfg(not(target_arch = "x86_64"))]
fn settled(sum: u32) -> u32 {
    sum
}

/// The first word of the digest of a message whose only block, padded, this is.
#[inline]
pub(super) fn first_word(block: &[u8; 64]) -> u32 {
    let words: [u32; 16] =
        std::array::from_fn(|i| u32::from_le_bytes(std::array::from_fn(|j| block[4 * i + j])));
    let [mut a, mut b, mut c, mut d] = START;
    let f = |sum, b: u32, c: u32, d: u32| settled(sum).wrapping_add(d ^ (b & (c ^ d)));
    let g =
        |sum: u32, b: u32, c: u32, d: u32| settled(sum.wrapping_add(c & !d)).wrapping_add(b & d);
    let h = |sum, b: u32, c: u32, d: u32| settled(sum).wrapping_add(b ^ (c ^ d));
    let i = |sum, b: u32, c: u32, d: u32| settled(sum).wrapping_add(c ^ (b | !d));

    macro_rules! step {
        ($mix:ident, $at:expr, $word:literal, $turn:literal, $a:ident $b:ident $c:ident $d:ident) => {
            let sum = $a.wrapping_add(CONSTANTS[$at].wrapping_add(words[$word]));
            $a = $mix(sum, $b, $c, $d).rotate_left($turn).wrapping_add($b);
        };
    }
    macro_rules! steps {
        ($mix:ident, $turns:tt, $($at:literal: $words:tt),*) => {
            $(steps!(@four $mix, $at, $words, $turns);)*
        };
        (@four $mix:ident, $at:literal, [$w0:literal $w1:literal $w2:literal $w3:literal],
         [$t0:literal $t1:literal $t2:literal $t3:literal]) => {
            step!($mix, $at, $w0, $t0, a b c d);
            step!($mix, $at + 1, $w1, $t1, d a b c);
            step!($mix, $at + 2, $w2, $t2, c d a b);
            step!($mix, $at + 3, $w3, $t3, b c d a);
        };
    }
    steps!(f, [7 12 17 22], 0: [0 1 2 3], 4: [4 5 6 7], 8: [8 9 10 11], 12: [12 13 14 15]);
    steps!(g, [5 9 14 20], 16: [1 6 11 0], 20: [5 10 15 4], 24: [9 14 3 8], 28: [13 2 7 12]);
    steps!(h, [4 11 16 23], 32: [5 8 11 14], 36: [1 4 7 10], 40: [13 0 3 6], 44: [9 12 15 2]);
    steps!(i, [6 10 15 21], 48: [0 7 14 5], 52: [12 3 10 1], 56: [8 15 6 13]);
    step!(i, 60, 4, 6, a b c d);
    a.wrapping_add(START[0])
}
