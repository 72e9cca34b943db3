//! Lanes of AVX-512, in 6 vectors side by side: a step takes a vector 8 cycles of latency, in which
//! the others' are done.

use super::nodes::{Digests, ROW, Row, Rows};
use super::{CONSTANTS, START};
use crate::hash::lanes::avx512::{Block, WIDTH, bits, load, store};
use crate::hash::lanes::{Group, LANES, avx2, blocks};
use std::arch::x86_64::*;
use std::mem::{self, MaybeUninit};
use std::ptr;

type State<const N: usize> = [[__m512i; N]; 4];

/// The first words of a group's keys.
///
/// # Safety
///
/// As for [`Hash::with_avx512`](crate::hash::lanes::Hash::with_avx512).
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
pub(super) unsafe fn first_words<'keys>(
    group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
    words: &mut [u32; LANES],
) {
    // SAFETY: the same promise.
    unsafe {
        // Three vectors take hardly longer than one.
        match group.count.div_ceil(WIDTH) {
            1 => in_vectors::<1>(group.longest, words, &|at, block| {
                load_last(group, at, block)
            }),
            2 | 3 => in_vectors::<3>(group.longest, words, &|at, block| {
                load_last(group, at, block)
            }),
            _ => in_vectors::<6>(group.longest, words, &|at, block| {
                load_last(group, at, block)
            }),
        }
    }
}

/// Loads a block of each key, the last one with the number of bits.
///
/// # Safety
///
/// As for [`first_words`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
unsafe fn load_last<'keys, const N: usize>(
    group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
    number: usize,
    block: &mut Block<N>,
) {
    // SAFETY: the caller's promise.
    unsafe { load(group, number, block) };
    if number + 1 == blocks(group.longest as usize) {
        for (word, lens) in block[14].iter_mut().zip(group.lens.as_chunks().0) {
            word.write(bits(lens));
        }
    }
}

/// The first words of keys of which `load` loads a block each, by its number. Once for all keys: it
/// has the block in its own frame, which is then aligned, and so is what registers have no room for.
///
/// # Safety
///
/// `load` loads all words of a block; where the longest key is below 32 bytes, 0 to 7 and 14.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
unsafe fn in_vectors<const N: usize>(
    longest: u32,
    words: &mut [u32; LANES],
    load: &dyn Fn(usize, &mut Block<N>),
) {
    let mut block = [const { [const { MaybeUninit::uninit() }; N] }; 16];
    let mut state = START.map(|word| [_mm512_set1_epi32(word as i32); N]);
    let last = blocks(longest as usize) - 1;
    for number in 0..last {
        load(number, &mut block);
        // SAFETY: loaded, by the caller's promise.
        state = next_state(unsafe { self::words::<N, false>(&block) }, state);
    }
    load(last, &mut block);
    // SAFETY: the same.
    let first = unsafe {
        if longest < 32 {
            first_word(self::words::<N, true>(&block), &state)
        } else {
            first_word(self::words::<N, false>(&block), &state)
        }
    };
    store(&first, words);
}

/// The digests of the messages in rows.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
pub(super) fn digests(rows: &Rows, digests: &mut Digests) {
    let mut block = [const { [const { MaybeUninit::uninit() }; LANES / WIDTH] }; 16];
    let start = START.map(|word| [_mm512_set1_epi32(word as i32); LANES / WIDTH]);
    let state = if rows.iter().all(Row::is_short) {
        lay_out(rows, 8, &mut block);
        // SAFETY: laid out.
        next_state(unsafe { words::<_, true>(&block) }, start)
    } else {
        lay_out(rows, 14, &mut block);
        block[15].fill(MaybeUninit::new(_mm512_setzero_si512()));
        // SAFETY: laid out, and the last.
        next_state(unsafe { words::<_, false>(&block) }, start)
    };
    for (state, words) in state.iter().zip(digests) {
        store(state, words);
    }
}

/// Lays out the blocks of rows, of which the first `words` words have anything, and word 14.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
fn lay_out(rows: &Rows, words: usize, block: &mut Block<{ LANES / WIDTH }>) {
    for (v, [low, high]) in rows.as_chunks().0.iter().enumerate() {
        let splat = |low: u32, high: u32| {
            _mm512_mask_set1_epi32(_mm512_set1_epi32(low as i32), 0xff00, high as i32)
        };
        let join = |low: &[u32; ROW], high: &[u32; ROW]| {
            let low = _mm512_castsi256_si512(avx2::vector(low));
            _mm512_inserti64x4::<1>(low, avx2::vector(high))
        };
        let stems = low.stem.into_iter().zip(high.stem);
        for (words, (low, high)) in block[..words].iter_mut().zip(stems) {
            words[v].write(splat(low, high));
        }
        // What is shifted out of a word goes to the next; a shift by 32 leaves nothing.
        let shift = splat(8 * (low.len % 4) as u32, 8 * (high.len % 4) as u32);
        let back = _mm512_sub_epi32(_mm512_set1_epi32(32), shift);
        let mut before = _mm512_setzero_si512();
        for i in 0..4 {
            let number = match (low.numbers.words.get(i), high.numbers.words.get(i)) {
                (Some(low), Some(high)) => join(low, high),
                _ => _mm512_setzero_si512(),
            };
            let shifted = _mm512_or_si512(
                _mm512_sllv_epi32(number, shift),
                _mm512_srlv_epi32(before, back),
            );
            for (row, mask) in [(low, 0x00ff), (high, 0xff00)] {
                if let Some(word) = block[..words].get_mut(row.len / 4 + i) {
                    // SAFETY: written above.
                    let stem = unsafe { word[v].assume_init() };
                    word[v].write(_mm512_mask_or_epi32(stem, mask, stem, shifted));
                }
            }
            before = number;
        }
        let bits = join(&low.numbers.bits, &high.numbers.bits);
        block[14][v].write(_mm512_add_epi32(splat(low.stem[14], high.stem[14]), bits));
    }
}

/// A sum that the compiler is not to take apart again: what waits for `b` comes last.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
fn settled(mut sum: __m512i) -> __m512i {
    // SAFETY: there is no instruction in it.
    unsafe {
        std::arch::asm!("/* {0} */", inout(zmm_reg) sum, options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

/// F, G, H and I as tables of b, c and d.
const F: i32 = 0xca;
const G: i32 = 0xe4;
const H: i32 = 0x96;
const I: i32 = 0x39;

/// The word of the block that each step takes.
#[rustfmt::skip]
const ORDER: [u8; 64] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    1, 6, 11, 0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12,
    5, 8, 11, 14, 1, 4, 7, 10, 13, 0, 3, 6, 9, 12, 15, 2,
    0, 7, 14, 5, 12, 3, 10, 1, 8, 15, 6, 13, 4, 11, 2, 9,
];

/// The words of blocks, of all lanes.
type Words<'a, const N: usize> = [&'a [__m512i; N]; 16];

/// # Safety
///
/// The words are loaded: all, or those of SHORT blocks but 8 to 13 and 15, which are 0.
unsafe fn words<const N: usize, const SHORT: bool>(block: &Block<N>) -> Words<'_, N> {
    // SAFETY: all bits 0 are a vector.
    let zero = const { &[unsafe { mem::zeroed() }; N] };
    std::array::from_fn(|word| match word {
        8..=13 | 15 if SHORT => zero,
        // SAFETY: loaded, by the caller's promise.
        _ => unsafe { &*ptr::from_ref(&block[word]).cast() },
    })
}

/// A step, which makes `b` of the next one of `a`.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
fn step<const N: usize, const F: i32, const TURN: i32>(
    words: &Words<N>,
    at: usize,
    a: &mut [__m512i; N],
    [b, c, d]: [&[__m512i; N]; 3],
) {
    let word = words[usize::from(ORDER[at] % 16)];
    let constant = _mm512_set1_epi32(CONSTANTS[at] as i32);
    for v in 0..N {
        let sum = _mm512_add_epi32(_mm512_add_epi32(a[v], constant), word[v]);
        let mixed = _mm512_ternarylogic_epi32::<F>(b[v], c[v], d[v]);
        let sum = _mm512_rol_epi32::<TURN>(_mm512_add_epi32(settled(sum), mixed));
        a[v] = _mm512_add_epi32(sum, b[v]);
    }
}

/// Steps of a round, four at a time: a loop, since whole rounds written out have no room where the
/// processor keeps decoded instructions. No function, which would have the state in memory.
macro_rules! round {
    ($words:ident, $steps:expr, $f:ident [$t0:literal $t1:literal $t2:literal $t3:literal],
     $a:ident $b:ident $c:ident $d:ident) => {
        for at in $steps.step_by(4) {
            step::<N, $f, $t0>(&$words, at, &mut $a, [&$b, &$c, &$d]);
            step::<N, $f, $t1>(&$words, at + 1, &mut $d, [&$a, &$b, &$c]);
            step::<N, $f, $t2>(&$words, at + 2, &mut $c, [&$d, &$a, &$b]);
            step::<N, $f, $t3>(&$words, at + 3, &mut $b, [&$c, &$d, &$a]);
        }
    };
}

/// The first words of digests whose last block this is.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
fn first_word<const N: usize>(words: Words<N>, start: &State<N>) -> [__m512i; N] {
    let [mut a, mut b, mut c, mut d] = *start;
    round!(words, (0..16), F [7 12 17 22], a b c d);
    round!(words, (16..32), G [5 9 14 20], a b c d);
    round!(words, (32..48), H [4 11 16 23], a b c d);
    round!(words, (48..60), I [6 10 15 21], a b c d);
    step::<N, I, 6>(&words, 60, &mut a, [&b, &c, &d]);
    std::array::from_fn(|v| _mm512_add_epi32(a[v], start[0][v]))
}

/// The state behind a whole block.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
fn next_state<const N: usize>(words: Words<N>, start: State<N>) -> State<N> {
    let [mut a, mut b, mut c, mut d] = start;
    round!(words, (0..16), F [7 12 17 22], a b c d);
    round!(words, (16..32), G [5 9 14 20], a b c d);
    round!(words, (32..48), H [4 11 16 23], a b c d);
    round!(words, (48..64), I [6 10 15 21], a b c d);
    let [a0, b0, c0, d0] = start;
    [(a, a0), (b, b0), (c, c0), (d, d0)]
        .map(|(word, before)| std::array::from_fn(|v| _mm512_add_epi32(word[v], before[v])))
}
