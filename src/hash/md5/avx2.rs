//! Lanes of AVX2.

use super::nodes::{Digests, Row, Rows};
use super::{CONSTANTS, START, first_steps, last_steps};
use crate::hash::lanes::avx2::{Block, SIDE_BY_SIDE, VECTORS, bits, load, store, vector};
use crate::hash::lanes::{Group, LANES, blocks};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

type State = [[__m256i; VECTORS]; 4];

/// The first words of a group's keys.
///
/// # Safety
///
/// As for [`Hash::with_avx2`](crate::hash::lanes::Hash::with_avx2).
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) unsafe fn first_words<'keys>(
    group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
    words: &mut [u32; LANES],
) {
    for pass in 0..group.count.div_ceil(SIDE_BY_SIDE) {
        let load = |number, block: &mut Block| {
            // SAFETY: the caller's promise.
            unsafe { load(group, pass, number, block) };
            if number + 1 == blocks(group.longest as usize) {
                bits(&group.lens[SIDE_BY_SIDE * pass..], block);
            }
        };
        // SAFETY: so it does.
        unsafe { in_vectors(group.longest, &mut words[SIDE_BY_SIDE * pass..], &load) };
    }
}

/// The first words of keys of which `load` loads a block each, by its number. Once for all keys: it
/// has the block in its own frame, which is then aligned, and so is what registers have no room for.
///
/// # Safety
///
/// `load` loads all words of a block; where the longest key is below 32 bytes, 0 to 7 and 14.
#[target_feature(enable = "avx2,bmi1,bmi2")]
unsafe fn in_vectors(longest: u32, words: &mut [u32], load: &dyn Fn(usize, &mut Block)) {
    let mut block = [const { [const { MaybeUninit::uninit() }; VECTORS] }; 16];
    let mut state = START.map(|word| [_mm256_set1_epi32(word as i32); VECTORS]);
    let last = blocks(longest as usize) - 1;
    for number in 0..last {
        load(number, &mut block);
        // SAFETY: loaded, by the caller's promise.
        state = unsafe { next_state::<false>(&block, state) };
    }
    load(last, &mut block);
    // SAFETY: the same.
    let first = unsafe {
        if longest < 32 {
            first_word::<true>(&block, &state)
        } else {
            first_word::<false>(&block, &state)
        }
    };
    store(&first, words);
}

/// The digests of the messages in rows.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) fn digests(rows: &Rows, digests: &mut Digests) {
    for (pass, rows) in rows.as_chunks().0.iter().enumerate() {
        let mut block = [const { [const { MaybeUninit::uninit() }; VECTORS] }; 16];
        let start = START.map(|word| [_mm256_set1_epi32(word as i32); VECTORS]);
        let state = if rows.iter().all(Row::is_short) {
            lay_out(rows, 8, &mut block);
            // SAFETY: laid out.
            unsafe { next_state::<true>(&block, start) }
        } else {
            lay_out(rows, 14, &mut block);
            block[15].fill(MaybeUninit::new(_mm256_setzero_si256()));
            // SAFETY: laid out, and the last word.
            unsafe { next_state::<false>(&block, start) }
        };
        for (state, words) in state.iter().zip(&mut *digests) {
            store(state, &mut words[SIDE_BY_SIDE * pass..]);
        }
    }
}

/// Lays out the blocks of rows, of which the first `words` words have anything, and word 14.
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
fn lay_out(rows: &[Row; VECTORS], words: usize, block: &mut Block) {
    for (v, row) in rows.iter().enumerate() {
        for (words, word) in block[..words].iter_mut().zip(row.stem) {
            words[v].write(_mm256_set1_epi32(word as i32));
        }
        // What is shifted out of a word goes to the next; a shift by 32 leaves nothing.
        let shift = 8 * (row.len % 4) as i32;
        let (shift, back) = (_mm_cvtsi32_si128(shift), _mm_cvtsi32_si128(32 - shift));
        let mut before = _mm256_setzero_si256();
        for (i, word) in block[..words]
            .iter_mut()
            .skip(row.len / 4)
            .take(4)
            .enumerate()
        {
            let number = match row.numbers.words.get(i) {
                Some(number) => vector(number),
                None => _mm256_setzero_si256(),
            };
            let shifted = _mm256_or_si256(
                _mm256_sll_epi32(number, shift),
                _mm256_srl_epi32(before, back),
            );
            // SAFETY: written above.
            let stem = unsafe { word[v].assume_init() };
            word[v].write(_mm256_or_si256(stem, shifted));
            before = number;
        }
        let bits = _mm256_set1_epi32(row.stem[14] as i32);
        block[14][v].write(_mm256_add_epi32(bits, vector(&row.numbers.bits)));
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

/// The first words of digests whose last block this is.
///
/// # Safety
///
/// The words are loaded: all, or those of SHORT blocks but 8 to 13 and 15, which are 0.
#[target_feature(enable = "avx2,bmi1,bmi2")]
unsafe fn first_word<const SHORT: bool>(block: &Block, state: &State) -> [__m256i; VECTORS] {
    let [mut a, mut b, mut c, mut d] = *state;
    let has_word = |word| !SHORT || word < 8 || word == 14;
    steps!(block, has_word, [first_steps], a b c d);
    std::array::from_fn(|v| _mm256_add_epi32(a[v], state[0][v]))
}

/// The state behind a whole block.
///
/// # Safety
///
/// As for [`first_word`].
#[target_feature(enable = "avx2,bmi1,bmi2")]
unsafe fn next_state<const SHORT: bool>(block: &Block, state: State) -> State {
    let [mut a, mut b, mut c, mut d] = state;
    let has_word = |word| !SHORT || word < 8 || word == 14;
    steps!(block, has_word, [first_steps, last_steps], a b c d);
    let [a0, b0, c0, d0] = state;
    [(a, a0), (b, b0), (c, c0), (d, d0)]
        .map(|(word, before)| std::array::from_fn(|v| _mm256_add_epi32(word[v], before[v])))
}
