//! 8 lanes of 32 bits a vector, and 3 vectors side by side: the states of more do not fit into 16
//! registers.

use super::{CONSTANTS, LANES, Lens, START, blocks, first_steps, last_steps};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// The lanes of a vector.
const WIDTH: usize = 8;
const VECTORS: usize = 3;
const SIDE_BY_SIDE: usize = WIDTH * VECTORS;

/// The words of a block; those that are not loaded are not read.
type Block = [[MaybeUninit<__m256i>; VECTORS]; 16];
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
    let last = blocks(key(0).len()) - 1;
    let mut ends = [0; SIDE_BY_SIDE];
    let mut block = [const { [const { MaybeUninit::uninit() }; VECTORS] }; 16];
    for start in (0..count).step_by(SIDE_BY_SIDE) {
        let key = |i| key(start + i);
        let lens = &lens[start..start + SIDE_BY_SIDE];
        for (i, word) in ends.iter_mut().enumerate() {
            *word = end(key(i));
        }
        let mut state = START.map(|word| [_mm256_set1_epi32(word as i32); VECTORS]);
        let first = if longest < 32 {
            // SAFETY: the caller's promise.
            unsafe { load::<1>(key, lens, &ends, 0, &mut block) };
            bits(lens, &mut block);
            first_word::<true>(&block, &state)
        } else {
            for number in 0..=last {
                // SAFETY: the caller's promise.
                unsafe { load::<2>(key, lens, &ends, number, &mut block) };
                if number < last {
                    state = next_state(&block, state);
                }
            }
            bits(lens, &mut block);
            first_word::<false>(&block, &state)
        };
        store(&first, &mut words[start..]);
    }
}

/// The digests of messages whose only block, padded, these are: of the first `len`; the others' may
/// be anything.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) fn digests(blocks: &[[u8; 64]; LANES], len: usize, words: &mut [[u32; LANES]; 4]) {
    let passes = blocks.chunks_exact(SIDE_BY_SIDE).enumerate();
    for (pass, blocks) in passes.take(len.div_ceil(SIDE_BY_SIDE)) {
        let start = START.map(|word| [_mm256_set1_epi32(word as i32); VECTORS]);
        let mut block = [const { [const { MaybeUninit::uninit() }; VECTORS] }; 16];
        load_padded(blocks, &mut block);
        let state = next_state(&block, start);
        for (state, words) in state.iter().zip(&mut *words) {
            store(state, &mut words[SIDE_BY_SIDE * pass..]);
        }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
fn store(vectors: &[__m256i; VECTORS], words: &mut [u32]) {
    for (vector, words) in vectors.iter().zip(words.chunks_exact_mut(WIDTH)) {
        // SAFETY: there are 8 words.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), *vector) };
    }
}

/// Loads padded blocks.
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
fn load_padded(blocks: &[[u8; 64]], block: &mut Block) {
    for v in 0..VECTORS {
        for half in 0..2 {
            // SAFETY: 32 bytes are there, at 0 or 32 of 64.
            let row = |i: usize| unsafe {
                _mm256_loadu_si256(blocks[WIDTH * v + i][32 * half..].as_ptr().cast())
            };
            let low = transposed([row(0), row(1), row(2), row(3)]);
            let high = transposed([row(4), row(5), row(6), row(7)]);
            for word in 0..4 {
                let (low, high) = (low[word], high[word]);
                block[8 * half + word][v].write(_mm256_permute2x128_si256::<0x20>(low, high));
                block[8 * half + word + 4][v].write(_mm256_permute2x128_si256::<0x31>(low, high));
            }
        }
    }
}

/// Loads a block of each of 24 keys, or half a one, without the number of bits.
///
/// `ends`: what is behind their last whole words.
///
/// # Safety
///
/// `lens` are the keys' lengths, or less.
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
unsafe fn load<'keys, const HALVES: usize>(
    key: impl Fn(usize) -> &'keys [u8],
    lens: &[u32],
    ends: &[u32],
    number: usize,
    block: &mut Block,
) {
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
fn bits(lens: &[u32], block: &mut Block) {
    for (word, lens) in block[14].iter_mut().zip(lens.chunks_exact(WIDTH)) {
        word.write(_mm256_slli_epi32::<3>(vector(lens)));
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
fn vector(words: &[u32]) -> __m256i {
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
