//! Lanes of AVX2.

use super::nodes::{Row, Words, lay_out};
use super::{CONSTANTS, START, first_steps, last_steps};
use crate::hash::lanes::avx2::{Block, SIDE_BY_SIDE, VECTORS, WIDTH, bits, load, store, vector};
use crate::hash::lanes::{LANES, Lens, blocks};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

type State = [[__m256i; VECTORS]; 4];

/// The first words of `count` keys, which have as many blocks; the others' may be anything.
///
/// # Safety
///
/// `lens` are the keys' lengths, or less.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) unsafe fn first_words<'keys>(
    key: impl Fn(usize) -> &'keys [u8] + Copy,
    lens: &Lens,
    count: usize,
    longest: u32,
    words: &mut [u32; LANES],
) {
    let passes = lens.as_chunks().0.iter().enumerate();
    for (pass, lens) in passes.take(count.div_ceil(SIDE_BY_SIDE)) {
        let start = SIDE_BY_SIDE * pass;
        let key = move |i| key(start + i);
        let load = |number, block: &mut Block| {
            // SAFETY: the caller's promise.
            unsafe {
                if longest < 32 {
                    load::<1>(key, lens, number, block);
                } else {
                    load::<2>(key, lens, number, block);
                }
            }
            if number + 1 == blocks(longest as usize) {
                bits(lens, block);
            }
        };
        in_vectors(longest, &mut words[start..], &load);
    }
}

/// The first words of keys of which `load` loads a block each, by its number. Once for all keys: it
/// has the block in its own frame, which is then aligned, and so is what registers have no room for.
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn in_vectors(longest: u32, words: &mut [u32], load: &dyn Fn(usize, &mut Block)) {
    let mut block = [const { [const { MaybeUninit::uninit() }; VECTORS] }; 16];
    let mut state = START.map(|word| [_mm256_set1_epi32(word as i32); VECTORS]);
    let last = blocks(longest as usize) - 1;
    for number in 0..last {
        load(number, &mut block);
        state = next_state(&block, state);
    }
    load(last, &mut block);
    let first = if longest < 32 {
        first_word::<true>(&block, &state)
    } else {
        first_word::<false>(&block, &state)
    };
    store(&first, words);
}

/// The digests of the messages in rows; those behind theirs may become anything.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) fn digests(rows: &[Row], blocks: &mut Words, digests: &mut [[u32; LANES]; 4]) {
    lay_out(rows, blocks);
    for first in (0..rows.len()).step_by(VECTORS) {
        let block = std::array::from_fn(|word| {
            std::array::from_fn(|v| MaybeUninit::new(vector(&blocks.0[word][first + v])))
        });
        let start = START.map(|word| [_mm256_set1_epi32(word as i32); VECTORS]);
        for (state, words) in next_state(&block, start).iter().zip(&mut *digests) {
            store(state, &mut words[WIDTH * first..]);
        }
    }
}

/// A sum that the compiler is not to take apart again: what waits for `b` comes last.
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
fn settled(mut sum: __m256i) -> __m256i {
    // SAFETY: there is no instruction in it.
    unsafe {
        std::arch::asm!("/* {0} */", inout(ymm_reg) sum, options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

macro_rules! mix {
    (F, $sum:ident, $b:expr, $c:expr, $d:expr) => {{
        let both = _mm256_xor_si256($c, $d);
        let mixed = _mm256_xor_si256($d, _mm256_and_si256($b, both));
        _mm256_add_epi32(settled($sum), mixed)
    }};
    (G, $sum:ident, $b:expr, $c:expr, $d:expr) => {{
        let sum = _mm256_add_epi32($sum, _mm256_andnot_si256($d, $c));
        _mm256_add_epi32(settled(sum), _mm256_and_si256($b, $d))
    }};
    (H, $sum:ident, $b:expr, $c:expr, $d:expr) => {{
        let mixed = _mm256_xor_si256($b, _mm256_xor_si256($c, $d));
        _mm256_add_epi32(settled($sum), mixed)
    }};
    // c ^ (b | !d) is -1 - (c ^ (d & !b)), and the -1 is in the constant.
    (I, $sum:ident, $b:expr, $c:expr, $d:expr) => {{
        let mixed = _mm256_xor_si256($c, _mm256_andnot_si256($b, $d));
        _mm256_sub_epi32(settled($sum), mixed)
    }};
}

macro_rules! constant {
    (I, $at:expr) => {
        CONSTANTS[$at].wrapping_sub(1)
    };
    ($f:ident, $at:expr) => {
        CONSTANTS[$at]
    };
}

macro_rules! steps {
    ($block:ident, $has_word:expr, [$($steps:ident),*], $a:ident $b:ident $c:ident $d:ident) => {
        macro_rules! step {
            ($f:ident, $at:expr, $word:literal, $turn:literal,
             $p:ident $q:ident $r:ident $s:ident) => {
                for v in 0..VECTORS {
                    let constant = _mm256_set1_epi32(constant!($f, $at) as i32);
                    let mut sum = _mm256_add_epi32($p[v], constant);
                    if $has_word($word) {
                        // SAFETY: the words that $has_word names are loaded.
                        let word = unsafe { $block[$word][v].assume_init() };
                        sum = _mm256_add_epi32(sum, word);
                    }
                    let sum = mix!($f, sum, $q[v], $r[v], $s[v]);
                    let low = _mm256_srli_epi32::<{ 32 - $turn }>(sum);
                    let turned = _mm256_or_si256(_mm256_slli_epi32::<$turn>(sum), low);
                    $p[v] = _mm256_add_epi32(turned, $q[v]);
                }
            };
        }
        $($steps!(step, $a $b $c $d);)*
    };
}

/// The first words of digests whose last block this is. A block that is SHORT has only 0 in words 8
/// to 13 and 15.
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn first_word<const SHORT: bool>(block: &Block, state: &State) -> [__m256i; VECTORS] {
    let [mut a, mut b, mut c, mut d] = *state;
    let has_word = |word| !SHORT || word < 8 || word == 14;
    steps!(block, has_word, [first_steps], a b c d);
    std::array::from_fn(|v| _mm256_add_epi32(a[v], state[0][v]))
}

/// The state behind a block that others follow.
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn next_state(block: &Block, state: State) -> State {
    let [mut a, mut b, mut c, mut d] = state;
    let has_word = |_| true;
    steps!(block, has_word, [first_steps, last_steps], a b c d);
    let [a0, b0, c0, d0] = state;
    [(a, a0), (b, b0), (c, c0), (d, d0)]
        .map(|(word, before)| std::array::from_fn(|v| _mm256_add_epi32(word[v], before[v])))
}
