//! 16 lanes of 32 bits a vector, and 6 vectors side by side: a step takes a vector 8 cycles of
//! latency, in which the others' are done.

use super::{CONSTANTS, LANES, START, blocks, first_steps, last_steps};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// The lanes of a vector.
const WIDTH: usize = 16;

pub(super) fn is_here() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
}

/// The words of a block; those that are not loaded are not read.
type Block<const N: usize> = [[MaybeUninit<__m512i>; N]; 16];
type State<const N: usize> = [[__m512i; N]; 4];

/// The first words of the first `len` keys, which have as many blocks; the others' may be anything.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
pub(super) fn first_words(keys: &[&[u8]; LANES], len: usize, words: &mut [u32; LANES]) {
    if len <= WIDTH {
        in_vectors::<1>(keys, len, words);
    } else {
        in_vectors::<{ LANES / WIDTH }>(keys, len, words);
    }
}

#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
fn in_vectors<const N: usize>(keys: &[&[u8]; LANES], len: usize, words: &mut [u32; LANES]) {
    let vectors = || keys.chunks_exact(WIDTH).take(N).enumerate();
    let mut block = [const { [const { MaybeUninit::uninit() }; N] }; 16];
    let mut state = START.map(|word| [_mm512_set1_epi32(word as i32); N]);
    let longest = keys[..len].iter().map(|key| key.len()).max();
    let first = if longest.is_some_and(|longest| longest < 32) {
        for (v, keys) in vectors() {
            load_short(keys, &mut block, v);
        }
        first_word::<N, true>(&block, &state)
    } else {
        let last = blocks(keys[0].len()) - 1;
        for number in 0..last {
            for (v, keys) in vectors() {
                load(keys, number, false, &mut block, v);
            }
            state = next_state(&block, state);
        }
        for (v, keys) in vectors() {
            load(keys, last, true, &mut block, v);
        }
        first_word::<N, false>(&block, &state)
    };
    store(&first, words);
}

/// The digests of messages whose only block, padded, these are: of the first `len`; the others' may
/// be anything.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
pub(super) fn digests(blocks: &[[u8; 64]; LANES], len: usize, words: &mut [[u32; LANES]; 4]) {
    if len <= WIDTH {
        digests_in_vectors::<1>(blocks, words);
    } else {
        digests_in_vectors::<{ LANES / WIDTH }>(blocks, words);
    }
}

#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
fn digests_in_vectors<const N: usize>(blocks: &[[u8; 64]; LANES], words: &mut [[u32; LANES]; 4]) {
    let mut block = [const { [const { MaybeUninit::uninit() }; N] }; 16];
    for (v, rows) in blocks.chunks_exact(WIDTH).take(N).enumerate() {
        // SAFETY: 64 bytes are there.
        let row = |i: usize| unsafe { _mm512_loadu_si512(rows[i].as_ptr().cast()) };
        transpose(row, &mut block, v);
    }
    let state = next_state(
        &block,
        START.map(|word| [_mm512_set1_epi32(word as i32); N]),
    );
    for (state, words) in state.iter().zip(words) {
        store(state, words);
    }
}

#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
#[inline]
fn store<const N: usize>(vectors: &[__m512i; N], words: &mut [u32; LANES]) {
    for (vector, words) in vectors.iter().zip(words.chunks_exact_mut(WIDTH)) {
        // SAFETY: there are 16 words.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), *vector) };
    }
}

/// Loads 16 keys below 32 bytes as vector `v` of a block, of which words 8 to 13 and 15 are left as
/// they are. Of longer keys it loads some of the bytes.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
#[inline]
fn load_short<const N: usize>(keys: &[&[u8]], block: &mut Block<N>, v: usize) {
    let row = |i: usize| {
        let (low, high) = (keys[i], keys[i + 4]);
        let low_end = 1u64 << (low.len() % 32);
        let high_end = 1u64 << 32 << (high.len() % 32);
        // SAFETY: no byte from a key's end on or before its start is read, as the masks say.
        let bytes = unsafe {
            let bytes = _mm512_maskz_loadu_epi8(low_end - 1, low.as_ptr().cast());
            let mask = high_end - (1 << 32);
            _mm512_mask_loadu_epi8(bytes, mask, high.as_ptr().wrapping_sub(32).cast())
        };
        _mm512_mask_blend_epi8(low_end | high_end, bytes, _mm512_set1_epi8(0x80u8 as i8))
    };
    // In each quarter four words of four keys: below 4 and from 4 on, of the keys of a half.
    let low = transposed([row(0), row(1), row(2), row(3)]);
    let high = transposed([row(8), row(9), row(10), row(11)]);
    for word in 0..4 {
        block[word][v].write(_mm512_shuffle_i32x4::<0b10_00_10_00>(low[word], high[word]));
        block[word + 4][v].write(_mm512_shuffle_i32x4::<0b11_01_11_01>(low[word], high[word]));
    }
    block[14][v].write(bits(keys));
}

/// Loads a block of each of 16 keys as vector `v`; the last block with the lengths.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
#[inline]
fn load<const N: usize>(
    keys: &[&[u8]],
    number: usize,
    is_last: bool,
    block: &mut Block<N>,
    v: usize,
) {
    let row = |i: usize| match keys[i].get(64 * number..) {
        // SAFETY: 64 bytes are there.
        Some(rest) if rest.len() >= 64 => unsafe { _mm512_loadu_si512(rest.as_ptr().cast()) },
        Some(rest) => {
            let end = 1u64 << rest.len();
            // SAFETY: no byte from the key's end on is read, as the mask says.
            let bytes = unsafe { _mm512_maskz_loadu_epi8(end - 1, rest.as_ptr().cast()) };
            _mm512_mask_blend_epi8(end, bytes, _mm512_set1_epi8(0x80u8 as i8))
        }
        None => _mm512_setzero_si512(),
    };
    transpose(row, block, v);
    if is_last {
        block[14][v].write(bits(keys));
    }
}

/// The words of 16 rows of 64 bytes, as vector `v` of a block.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
#[inline]
fn transpose<const N: usize>(row: impl Fn(usize) -> __m512i, block: &mut Block<N>, v: usize) {
    let quarters: [[__m512i; 4]; 4] = [
        transposed([row(0), row(1), row(2), row(3)]),
        transposed([row(4), row(5), row(6), row(7)]),
        transposed([row(8), row(9), row(10), row(11)]),
        transposed([row(12), row(13), row(14), row(15)]),
    ];
    for word in 0..4 {
        let [a, b, c, d] = quarters.map(|quarter| quarter[word]);
        // Quarters 0 and 1 of two rows, and 2 and 3.
        let ab_low = _mm512_shuffle_i32x4::<0b01_00_01_00>(a, b);
        let ab_high = _mm512_shuffle_i32x4::<0b11_10_11_10>(a, b);
        let cd_low = _mm512_shuffle_i32x4::<0b01_00_01_00>(c, d);
        let cd_high = _mm512_shuffle_i32x4::<0b11_10_11_10>(c, d);
        block[word][v].write(_mm512_shuffle_i32x4::<0b10_00_10_00>(ab_low, cd_low));
        block[word + 4][v].write(_mm512_shuffle_i32x4::<0b11_01_11_01>(ab_low, cd_low));
        block[word + 8][v].write(_mm512_shuffle_i32x4::<0b10_00_10_00>(ab_high, cd_high));
        block[word + 12][v].write(_mm512_shuffle_i32x4::<0b11_01_11_01>(ab_high, cd_high));
    }
}

/// In each quarter of the vectors, the 4 by 4 words transposed.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
#[inline]
fn transposed(rows: [__m512i; 4]) -> [__m512i; 4] {
    let low = [
        _mm512_unpacklo_epi32(rows[0], rows[1]),
        _mm512_unpacklo_epi32(rows[2], rows[3]),
    ];
    let high = [
        _mm512_unpackhi_epi32(rows[0], rows[1]),
        _mm512_unpackhi_epi32(rows[2], rows[3]),
    ];
    [
        _mm512_unpacklo_epi64(low[0], low[1]),
        _mm512_unpackhi_epi64(low[0], low[1]),
        _mm512_unpacklo_epi64(high[0], high[1]),
        _mm512_unpackhi_epi64(high[0], high[1]),
    ]
}

/// The lengths of 16 keys in bits, which are less than 2^32.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
#[inline]
fn bits(keys: &[&[u8]]) -> __m512i {
    let bits: [u32; WIDTH] = std::array::from_fn(|i| 8 * keys[i].len() as u32);
    // SAFETY: there are 16 of them.
    unsafe { _mm512_loadu_si512(bits.as_ptr().cast()) }
}

/// A sum that the compiler is not to take apart again: what waits for `b` comes last.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
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

macro_rules! steps {
    ($block:ident, $has_word:expr, [$($steps:ident),*], $a:ident $b:ident $c:ident $d:ident) => {
        macro_rules! step {
            ($f:ident, $at:expr, $word:literal, $turn:literal,
             $p:ident $q:ident $r:ident $s:ident) => {
                for v in 0..N {
                    let mut sum = _mm512_add_epi32($p[v], _mm512_set1_epi32(CONSTANTS[$at] as i32));
                    if $has_word($word) {
                        // SAFETY: the words that $has_word names are loaded.
                        let word = unsafe { $block[$word][v].assume_init() };
                        sum = _mm512_add_epi32(sum, word);
                    }
                    let mixed = _mm512_ternarylogic_epi32::<$f>($q[v], $r[v], $s[v]);
                    sum = _mm512_rol_epi32::<$turn>(_mm512_add_epi32(settled(sum), mixed));
                    $p[v] = _mm512_add_epi32(sum, $q[v]);
                }
            };
        }
        $($steps!(step, $a $b $c $d);)*
    };
}

/// The first words of digests whose last block this is. A block that is SHORT has only 0 in words 8
/// to 13 and 15.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
fn first_word<const N: usize, const SHORT: bool>(
    block: &Block<N>,
    state: &State<N>,
) -> [__m512i; N] {
    let [mut a, mut b, mut c, mut d] = *state;
    let has_word = |word| !SHORT || word < 8 || word == 14;
    steps!(block, has_word, [first_steps], a b c d);
    std::array::from_fn(|v| _mm512_add_epi32(a[v], state[0][v]))
}

/// The state behind a block that others follow.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
fn next_state<const N: usize>(block: &Block<N>, state: State<N>) -> State<N> {
    let [mut a, mut b, mut c, mut d] = state;
    let has_word = |_| true;
    steps!(block, has_word, [first_steps, last_steps], a b c d);
    let [a0, b0, c0, d0] = state;
    [(a, a0), (b, b0), (c, c0), (d, d0)]
        .map(|(word, before)| std::array::from_fn(|v| _mm512_add_epi32(word[v], before[v])))
}
