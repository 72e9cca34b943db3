//! 16 lanes of 32 bits a vector, and 6 vectors side by side: a step takes a vector 8 cycles of
//! latency, in which the others' are done.

use super::{CONSTANTS, LANES, Lens, START, blocks, first_steps, last_steps};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// The lanes of a vector.
const WIDTH: usize = 16;

/// The words of a block; those that are not loaded are not read.
type Block<const N: usize> = [[MaybeUninit<__m512i>; N]; 16];
type State<const N: usize> = [[__m512i; N]; 4];

/// The first words of `count` keys, which have as many blocks; the others' may be anything.
///
/// # Safety
///
/// `lens` are the keys' lengths, or less, and `longest` is their maximum.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
pub(super) unsafe fn first_words<'keys>(
    key: impl Fn(usize) -> &'keys [u8] + Copy,
    lens: &Lens,
    count: usize,
    longest: u32,
    words: &mut [u32; LANES],
) {
    // SAFETY: the same promise.
    unsafe {
        if count <= WIDTH {
            in_vectors::<1>(key, lens, longest, words);
        } else {
            in_vectors::<{ LANES / WIDTH }>(key, lens, longest, words);
        }
    }
}

/// # Safety
///
/// As for [`first_words`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
unsafe fn in_vectors<'keys, const N: usize>(
    key: impl Fn(usize) -> &'keys [u8] + Copy,
    lens: &Lens,
    longest: u32,
    words: &mut [u32; LANES],
) {
    let vectors = || lens.as_chunks().0.iter().take(N).enumerate();
    let mut block = [const { [const { MaybeUninit::uninit() }; N] }; 16];
    let mut state = START.map(|word| [_mm512_set1_epi32(word as i32); N]);
    let first = if longest < 32 {
        for (v, lens) in vectors() {
            // SAFETY: the caller's promise.
            unsafe { load_short(|i| key(WIDTH * v + i), lens, &mut block, v) };
        }
        first_word::<N, true>(&block, &state)
    } else {
        let last = blocks(key(0).len()) - 1;
        for number in 0..=last {
            for (v, lens) in vectors() {
                // SAFETY: the caller's promise.
                unsafe { load(|i| key(WIDTH * v + i), lens, number, &mut block, v) };
            }
            if number < last {
                state = next_state(&block, state);
            }
        }
        for (v, lens) in vectors() {
            block[14][v].write(bits(lens));
        }
        first_word::<N, false>(&block, &state)
    };
    store(&first, words);
}

/// The digests of messages whose only block, padded, these are: of the first `len`; the others' may
/// be anything.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
pub(super) fn digests(blocks: &[[u8; 64]; LANES], len: usize, words: &mut [[u32; LANES]; 4]) {
    if len <= WIDTH {
        digests_in_vectors::<1>(blocks, words);
    } else {
        digests_in_vectors::<{ LANES / WIDTH }>(blocks, words);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
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

#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
fn store<const N: usize>(vectors: &[__m512i; N], words: &mut [u32; LANES]) {
    for (vector, words) in vectors.iter().zip(words.chunks_exact_mut(WIDTH)) {
        // SAFETY: there are 16 words.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), *vector) };
    }
}

/// Loads 16 keys below 32 bytes as vector `v` of a block, of which words 8 to 13 and 15 are left as
/// they are. Of longer keys it loads some of the bytes.
///
/// # Safety
///
/// `lens` are the keys' lengths, or less.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
unsafe fn load_short<'keys, const N: usize>(
    key: impl Fn(usize) -> &'keys [u8],
    lens: &[u32; WIDTH],
    block: &mut Block<N>,
    v: usize,
) {
    let bytes = |i: usize| {
        let mask = _bzhi_u32(u32::MAX, lens[i]);
        // SAFETY: no byte from the key's end on is read, as the mask says.
        unsafe { _mm256_maskz_loadu_epi8(mask, key(i).as_ptr().cast()) }
    };
    let row = |i| {
        let low = _mm512_castsi256_si512(bytes(i));
        _mm512_inserti64x4::<1>(low, bytes(i + 4))
    };
    // In each quarter four words of four keys: below 4 and from 4 on, of the keys of a half.
    let low = transposed([row(0), row(1), row(2), row(3)]);
    let high = transposed([row(8), row(9), row(10), row(11)]);
    let end = End::of(lens, 0);
    for word in 0..4 {
        let first = _mm512_shuffle_i32x4::<0b10_00_10_00>(low[word], high[word]);
        let second = _mm512_shuffle_i32x4::<0b11_01_11_01>(low[word], high[word]);
        block[word][v].write(end.put(word, first));
        block[word + 4][v].write(end.put(word + 4, second));
    }
    block[14][v].write(bits(lens));
}

/// Loads a block of each of 16 keys as vector `v`, without the number of bits.
///
/// # Safety
///
/// As for [`load_short`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
unsafe fn load<'keys, const N: usize>(
    key: impl Fn(usize) -> &'keys [u8],
    lens: &[u32; WIDTH],
    number: usize,
    block: &mut Block<N>,
    v: usize,
) {
    let start = 64 * number;
    let row = |i: usize| {
        let rest = lens[i].saturating_sub(start as u32);
        let mask = _bzhi_u64(u64::MAX, rest);
        // SAFETY: no byte from the key's end on is read, as the mask says.
        unsafe { _mm512_maskz_loadu_epi8(mask, key(i).as_ptr().wrapping_add(start).cast()) }
    };
    transpose(row, block, v);
    let end = End::of(lens, number);
    for (word, vectors) in block.iter_mut().enumerate() {
        // SAFETY: `transpose` has written it.
        let vector = unsafe { vectors[v].assume_init() };
        vectors[v].write(end.put(word, vector));
    }
}

/// The bit behind the last byte of 16 keys.
struct End {
    /// The words that it is in, from the block's first.
    word: __m512i,
    /// Those words, which are 0 otherwise.
    bit: __m512i,
}

impl End {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
    #[inline]
    fn of(lens: &[u32; WIDTH], number: usize) -> End {
        let lens = vector(lens);
        let byte = _mm512_and_si512(lens, _mm512_set1_epi32(3));
        let word = _mm512_srli_epi32::<2>(lens);
        End {
            word: _mm512_sub_epi32(word, _mm512_set1_epi32(16 * number as i32)),
            bit: _mm512_sllv_epi32(_mm512_set1_epi32(0x80), _mm512_slli_epi32::<3>(byte)),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
    #[inline]
    fn put(&self, word: usize, vector: __m512i) -> __m512i {
        let is_here = _mm512_cmpeq_epi32_mask(self.word, _mm512_set1_epi32(word as i32));
        _mm512_mask_or_epi32(vector, is_here, vector, self.bit)
    }
}

/// The words of 16 rows of 64 bytes, as vector `v` of a block.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
fn bits(lens: &[u32; WIDTH]) -> __m512i {
    _mm512_slli_epi32::<3>(vector(lens))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
#[inline]
fn vector(words: &[u32; WIDTH]) -> __m512i {
    // SAFETY: there are 16 of them.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
fn next_state<const N: usize>(block: &Block<N>, state: State<N>) -> State<N> {
    let [mut a, mut b, mut c, mut d] = state;
    let has_word = |_| true;
    steps!(block, has_word, [first_steps, last_steps], a b c d);
    let [a0, b0, c0, d0] = state;
    [(a, a0), (b, b0), (c, c0), (d, d0)]
        .map(|(word, before)| std::array::from_fn(|v| _mm512_add_epi32(word[v], before[v])))
}
