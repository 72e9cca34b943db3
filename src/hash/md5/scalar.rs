//! One key at a time.
//!
//! A step is `a = b + rotate(a + f(b, c, d) + constant + word)`, and each waits for the `b` of the
//! one before. So `b` comes last into each sum, which is all that this file does:
//!
//! - F as `d ^ (b & (c ^ d))` and H as `b ^ (c ^ d)`: what is without `b` is ready before.
//! - I is `c ^ (b | !d)`, with `!d` ready before; or where there is ANDN `-1 - (c ^ (d & !b))`, which
//!   is an operation less.
//! - G's halves `b & d` and `c & !d` share no bit, so both are added, the second early.
//! - The compiler would add in an order of its own; [`settled`] keeps it from that.

use super::{CONSTANTS, START, first_steps};

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

/// The first word of the digest of a message whose only block, padded, this is. A block that is
/// SHORT has only 0 in words 8 to 13 and 15.
pub(super) fn first_word<const SHORT: bool>(block: &[u8; 64]) -> u32 {
    steps::<SHORT, false>(block)
}

/// The same with ANDN.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi1")]
pub(super) fn first_word_with_bmi<const SHORT: bool>(block: &[u8; 64]) -> u32 {
    steps::<SHORT, true>(block)
}

#[inline(always)]
fn steps<const SHORT: bool, const ANDN: bool>(block: &[u8; 64]) -> u32 {
    let words: [u32; 16] =
        std::array::from_fn(|i| u32::from_le_bytes(std::array::from_fn(|j| block[4 * i + j])));
    let [mut a, mut b, mut c, mut d] = START;
    macro_rules! mix {
        (F, $sum:ident, $b:ident $c:ident $d:ident) => {
            settled($sum).wrapping_add($d ^ ($b & ($c ^ $d)))
        };
        (G, $sum:ident, $b:ident $c:ident $d:ident) => {
            settled($sum.wrapping_add($c & !$d)).wrapping_add($b & $d)
        };
        (H, $sum:ident, $b:ident $c:ident $d:ident) => {
            settled($sum).wrapping_add($b ^ ($c ^ $d))
        };
        (I, $sum:ident, $b:ident $c:ident $d:ident) => {
            if ANDN {
                settled($sum.wrapping_sub(1)).wrapping_sub($c ^ ($d & !$b))
            } else {
                settled($sum).wrapping_add($c ^ ($b | !$d))
            }
        };
    }
    macro_rules! step {
        ($f:ident, $at:expr, $word:literal, $turn:literal, $a:ident $b:ident $c:ident $d:ident) => {
            let mut sum = $a.wrapping_add(CONSTANTS[$at]);
            if !SHORT || $word < 8 || $word == 14 {
                sum = sum.wrapping_add(words[$word]);
            }
            $a = mix!($f, sum, $b $c $d).rotate_left($turn).wrapping_add($b);
        };
    }
    first_steps!(step, a b c d);
    a.wrapping_add(START[0])
}
