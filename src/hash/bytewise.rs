//! Hashes that take a key byte by byte, of many keys side by side.
//!
//! ```text
//! hash(keys):
//!     for each byte of the longest key:
//!         the states of keys that are longer take it, and the others stay
//! ```

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use super::lanes::{Group, Hash, LANES};
use super::simd::Simd;
use std::mem::MaybeUninit;
use std::ops::Range;

/// A vector of lanes of 32 bits.
///
/// # Safety
///
/// The functions are for code that is compiled for the vector's instruction set, and are inlined
/// into it.
trait Vector: Copy {
    /// A table of as many numbers as there are lanes.
    const TABLE_BITS: u32;

    unsafe fn splat(number: u32) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn xor(self, other: Self) -> Self;
    unsafe fn multiply(self, other: Self) -> Self;
    unsafe fn left(self, bits: u32) -> Self;
    unsafe fn right(self, bits: u32) -> Self;
    /// With copies of the sign.
    unsafe fn right_signed(self, bits: u32) -> Self;
    /// Numbers from a table, where the lowest bits of `self` say.
    unsafe fn of_table(self, table: &[u32; 16]) -> Self;
    /// `self` where `lens` is above `at`, and `other` elsewhere.
    unsafe fn if_longer(self, lens: Self, at: u32, other: Self) -> Self;
}

/// A hash of this kind.
///
/// # Safety
///
/// Functions of a V are for code that is compiled for its instruction set, and are inlined into it.
trait Bytewise {
    const START: u32;

    fn of(key: &[u8]) -> u32;

    /// The state behind one more byte: the one of a little-endian word that is `bits` from its end.
    unsafe fn step<V: Vector>(state: V, word: V, bits: u32) -> V;

    unsafe fn finish<V: Vector>(state: V, lens: V) -> V;
}

/// Bob Jenkins's one-at-a-time.
pub(crate) struct OneAtATime;

impl Bytewise for OneAtATime {
    const START: u32 = 0;

    fn of(key: &[u8]) -> u32 {
        super::one_at_a_time(key)
    }

    #[inline(always)]
    unsafe fn step<V: Vector>(state: V, word: V, bits: u32) -> V {
        // SAFETY: the caller's code is for V, as in the other functions of this file.
        unsafe {
            let state = state.add(signed_byte(word, bits));
            let state = state.add(state.left(10));
            state.xor(state.right(6))
        }
    }

    #[inline(always)]
    unsafe fn finish<V: Vector>(state: V, _: V) -> V {
        // SAFETY: as above.
        unsafe {
            let state = state.add(state.left(3));
            let state = state.xor(state.right(11));
            state.add(state.left(15))
        }
    }
}

/// "fnv1a_64" as libmemcached and twemproxy compute it.
pub(crate) struct Fnv1a64;

impl Bytewise for Fnv1a64 {
    const START: u32 = super::fnv::START;

    fn of(key: &[u8]) -> u32 {
        super::fnv1a_64(key)
    }

    #[inline(always)]
    unsafe fn step<V: Vector>(state: V, word: V, bits: u32) -> V {
        // SAFETY: as above.
        unsafe {
            let state = state.xor(signed_byte(word, bits));
            state.multiply(V::splat(super::fnv::PRIME))
        }
    }

    #[inline(always)]
    unsafe fn finish<V: Vector>(state: V, lens: V) -> V {
        // SAFETY: as above.
        unsafe { state.if_longer(lens, 0, V::splat(0)) }
    }
}

/// zlib's CRC-32.
pub(crate) struct Crc32;

impl Bytewise for Crc32 {
    const START: u32 = u32::MAX;

    fn of(key: &[u8]) -> u32 {
        super::crc32(key)
    }

    #[inline(always)]
    unsafe fn step<V: Vector>(state: V, word: V, bits: u32) -> V {
        // The remainder of a byte is that of its parts, and of a few bits a vector holds all.
        const OF_4_BITS: [[u32; 16]; 2] = [remainders(0, 4), remainders(4, 4)];
        const OF_3_BITS: [[u32; 16]; 3] = [remainders(0, 3), remainders(3, 3), remainders(6, 2)];
        let tables: &[[u32; 16]] = if V::TABLE_BITS == 4 {
            &OF_4_BITS
        } else {
            &OF_3_BITS
        };
        // SAFETY: as above.
        unsafe {
            let byte = state.xor(word.right(bits));
            let mut state = state.right(8);
            let mut from = 0;
            for table in tables {
                state = state.xor(byte.right(from).of_table(table));
                from += V::TABLE_BITS;
            }
            state
        }
    }

    #[inline(always)]
    unsafe fn finish<V: Vector>(state: V, _: V) -> V {
        // SAFETY: as above.
        unsafe { state.xor(V::splat(u32::MAX)) }
    }
}

/// What CRC-32 makes of each value of `count` bits of a byte, above the `from` lowest.
const fn remainders(from: u32, count: u32) -> [u32; 16] {
    let mut table = [0; 16];
    let mut value = 0;
    while value < 16 {
        let mut remainder = (value as u32 & ((1 << count) - 1)) << from;
        let mut bit = 0;
        while bit < 8 {
            let is_odd = remainder & 1 == 1;
            remainder = remainder >> 1 ^ if is_odd { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        table[value] = remainder;
        value += 1;
    }
    table
}

/// A byte of a little-endian word that is `bits` from its end, as a signed char.
///
/// # Safety
///
/// The caller's code is for V.
#[inline(always)]
unsafe fn signed_byte<V: Vector>(word: V, bits: u32) -> V {
    // SAFETY: the caller's promise.
    unsafe { word.left(24 - bits).right_signed(24) }
}

fn shortest(lens: &[u32]) -> u32 {
    lens.iter()
        .fold(u32::MAX, |shortest, &len| shortest.min(len))
}

/// Takes the bytes of a block. `lengths`: of the shortest key and of the longest.
///
/// # Safety
///
/// The caller's code is for V, and the words with those bytes are loaded.
#[inline(always)]
unsafe fn take<H: Bytewise, V: Vector, const N: usize>(
    states: &mut [V; N],
    block: &[[MaybeUninit<V>; N]; 16],
    number: usize,
    lens: &[V; N],
    lengths: &Range<u32>,
) {
    let places = (64 * number as u32..lengths.end).step_by(4);
    for (word, at) in block.iter().zip(places) {
        for byte in 0..4 {
            for v in 0..N {
                // SAFETY: the caller's promise.
                unsafe {
                    let state = H::step(states[v], word[v].assume_init(), 8 * byte);
                    states[v] = if at + byte < lengths.start {
                        state
                    } else {
                        state.if_longer(lens[v], at + byte, states[v])
                    };
                }
            }
        }
    }
}

impl<H: Bytewise> Hash for H {
    fn one(_: Simd, key: &[u8]) -> u32 {
        H::of(key)
    }

    #[cfg(target_arch = "x86_64")]
    unsafe fn with_avx2<'keys>(
        group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
        words: &mut [u32; LANES],
    ) {
        // SAFETY: the caller's promise.
        unsafe { avx2::hash::<H>(group, words) }
    }

    #[cfg(target_arch = "x86_64")]
    unsafe fn with_avx512<'keys>(
        group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
        words: &mut [u32; LANES],
    ) {
        // SAFETY: the caller's promise.
        unsafe { avx512::hash::<H>(group, words) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::lanes::tests::check;

    #[test]
    fn each_hash_is_the_same_in_lanes() {
        check::<OneAtATime>(super::super::one_at_a_time);
        check::<Fnv1a64>(super::super::fnv1a_64);
        check::<Crc32>(super::super::crc32);
    }
}
