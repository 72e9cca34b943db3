//! 8 lanes of 32 bits a vector, and 4 vectors side by side, which is what 16 registers hold.

use super::{CONSTANTS, LANES, START, blocks, first_steps, last_steps, padded};
use std::arch::x86_64::*;

/// The lanes of a vector.
const WIDTH: usize = 8;
const VECTORS: usize = 4;
const SIDE_BY_SIDE: usize = WIDTH * VECTORS;

pub(super) fn is_here() -> bool {
    is_x86_feature_detected!("avx2")
}

/// The words of a block.
type Block = [[__m256i; VECTORS]; 16];
type State = [[__m256i; VECTORS]; 4];

/// The first words of the first `len` keys, which have as many blocks; the others' may be anything.
#[target_feature(enable = "avx2")]
pub(super) fn first_words(keys: &[&[u8]; LANES], len: usize, words: &mut [u32; LANES]) {
    let last = blocks(keys[0].len()) - 1;
    let passes = keys.chunks_exact(SIDE_BY_SIDE);
    let passes = passes.zip(words.chunks_exact_mut(SIDE_BY_SIDE));
    for (keys, words) in passes.take(len.div_ceil(SIDE_BY_SIDE)) {
        let mut state = START.map(|word| [_mm256_set1_epi32(word as i32); VECTORS]);
        for number in 0..last {
            state = next_state(&load(|i| padded(keys[i], number)), state);
        }
        let block = load(|i| padded(keys[i], last));
        store(&first_word(&block, &state), words);
    }
}

/// The digests of messages whose only block, padded, these are: of the first `len`; the others' may
/// be anything.
#[target_feature(enable = "avx2")]
pub(super) fn digests(blocks: &[[u8; 64]; LANES], len: usize, words: &mut [[u32; LANES]; 4]) {
    let passes = blocks.chunks_exact(SIDE_BY_SIDE).enumerate();
    for (pass, blocks) in passes.take(len.div_ceil(SIDE_BY_SIDE)) {
        let start = START.map(|word| [_mm256_set1_epi32(word as i32); VECTORS]);
        let state = next_state(&load(|i| blocks[i]), start);
        for (state, words) in state.iter().zip(&mut *words) {
            store(state, &mut words[SIDE_BY_SIDE * pass..]);
        }
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store(vectors: &[__m256i; VECTORS], words: &mut [u32]) {
    for (vector, words) in vectors.iter().zip(words.chunks_exact_mut(WIDTH)) {
        // SAFETY: there are 8 words.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), *vector) };
    }
}

/// Loads 32 padded blocks.
#[target_feature(enable = "avx2")]
#[inline]
#[allow(clippy::needless_range_loop)] // v counts words' vectors, not a list's items.
fn load(padded: impl Fn(usize) -> [u8; 64]) -> Block {
    let mut block = [[_mm256_setzero_si256(); VECTORS]; 16];
    for v in 0..VECTORS {
        let rows: [[u8; 64]; WIDTH] = std::array::from_fn(|i| padded(WIDTH * v + i));
        for half in 0..2 {
            // SAFETY: 32 bytes are there, at 0 or 32 of 64.
            let row =
                |i: usize| unsafe { _mm256_loadu_si256(rows[i][32 * half..].as_ptr().cast()) };
            // In each half of these vectors four words of four keys.
            let low = transposed([row(0), row(1), row(2), row(3)]);
            let high = transposed([row(4), row(5), row(6), row(7)]);
            for word in 0..4 {
                let (low, high) = (low[word], high[word]);
                block[8 * half + word][v] = _mm256_permute2x128_si256::<0x20>(low, high);
                block[8 * half + word + 4][v] = _mm256_permute2x128_si256::<0x31>(low, high);
            }
        }
    }
    block
}

/// In each half of the vectors, the 4 by 4 words transposed.
#[target_feature(enable = "avx2")]
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

/// A sum that the compiler is not to take apart again: what waits for `b` comes last.
#[target_feature(enable = "avx2")]
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
    (I, $sum:ident, $b:expr, $c:expr, $d:expr) => {{
        let not = _mm256_xor_si256($d, _mm256_set1_epi32(-1));
        let mixed = _mm256_xor_si256($c, _mm256_or_si256($b, not));
        _mm256_add_epi32(settled($sum), mixed)
    }};
}

macro_rules! steps {
    ($block:ident, [$($steps:ident),*], $a:ident $b:ident $c:ident $d:ident) => {
        macro_rules! step {
            ($f:ident, $at:expr, $word:literal, $turn:literal,
             $p:ident $q:ident $r:ident $s:ident) => {
                for v in 0..VECTORS {
                    let sum = _mm256_add_epi32($block[$word][v], _mm256_set1_epi32(CONSTANTS[$at] as i32));
                    let sum = _mm256_add_epi32($p[v], sum);
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
#[target_feature(enable = "avx2")]
fn first_word(block: &Block, state: &State) -> [__m256i; VECTORS] {
    let [mut a, mut b, mut c, mut d] = *state;
    steps!(block, [first_steps], a b c d);
    std::array::from_fn(|v| _mm256_add_epi32(a[v], state[0][v]))
}

/// The state behind a block that others follow.
#[target_feature(enable = "avx2")]
fn next_state(block: &Block, state: State) -> State {
    let [mut a, mut b, mut c, mut d] = state;
    steps!(block, [first_steps, last_steps], a b c d);
    let [a0, b0, c0, d0] = state;
    [(a, a0), (b, b0), (c, c0), (d, d0)]
        .map(|(word, before)| std::array::from_fn(|v| _mm256_add_epi32(word[v], before[v])))
}
