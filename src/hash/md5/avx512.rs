//! Lanes of AVX-512, in 6 vectors side by side: a step takes a vector 8 cycles of latency, in which
//! the others' are done.

use super::nodes::{Row, Words, lay_out};
use super::{CONSTANTS, START, first_steps, last_steps};
use crate::hash::lanes::avx512::{Block, WIDTH, bits, load, load_short, store};
use crate::hash::lanes::{LANES, Lens, blocks};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;
use std::ptr;

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
        // Three vectors take hardly longer than one.
        match count.div_ceil(WIDTH) {
            1 => in_vectors(longest, words, &|number, block: &mut Block<1>| {
                load_all(key, lens, longest, number, block);
            }),
            2 | 3 => in_vectors(longest, words, &|number, block: &mut Block<3>| {
                load_all(key, lens, longest, number, block);
            }),
            _ => in_vectors(longest, words, &|number, block: &mut Block<6>| {
                load_all(key, lens, longest, number, block);
            }),
        }
    }
}

/// Loads a block of each key; of short ones only what [`first_word`] reads.
///
/// # Safety
///
/// As for [`first_words`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
unsafe fn load_all<'keys, const N: usize>(
    key: impl Fn(usize) -> &'keys [u8] + Copy,
    lens: &Lens,
    longest: u32,
    number: usize,
    block: &mut Block<N>,
) {
    for (v, lens) in lens.as_chunks().0.iter().take(N).enumerate() {
        let key = move |i| key(WIDTH * v + i);
        // SAFETY: the caller's promise.
        unsafe {
            if longest < 32 {
                load_short(key, lens, block, v);
            } else {
                load(key, lens, number, block, v);
            }
        }
        if number + 1 == blocks(longest as usize) {
            block[14][v].write(bits(lens));
        }
    }
}

/// The first words of keys of which `load` loads a block each, by its number. Once for all keys: it
/// has the block in its own frame, which is then aligned, and so is what registers have no room for.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
fn in_vectors<const N: usize>(
    longest: u32,
    words: &mut [u32; LANES],
    load: &dyn Fn(usize, &mut Block<N>),
) {
    let mut block = [const { [const { MaybeUninit::uninit() }; N] }; 16];
    let mut state = START.map(|word| [_mm512_set1_epi32(word as i32); N]);
    let last = blocks(longest as usize) - 1;
    for number in 0..last {
        load(number, &mut block);
        state = next_state(&block, state);
    }
    load(last, &mut block);
    let first = if longest < 32 {
        first_word::<N, true>(&block, &state)
    } else {
        first_word::<N, false>(&block, &state)
    };
    store(&first, words);
}

/// The digests of the messages in rows; those behind theirs may become anything.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2")]
pub(super) fn digests(rows: &[Row], blocks: &mut Words, digests: &mut [[u32; LANES]; 4]) {
    lay_out(rows, blocks);
    // SAFETY: as large and as aligned, and any bits are words.
    let block = unsafe { &*ptr::from_ref(blocks).cast::<Block<{ LANES / WIDTH }>>() };
    let start = START.map(|word| [_mm512_set1_epi32(word as i32); LANES / WIDTH]);
    for (state, words) in next_state(block, start).iter().zip(digests) {
        store(state, words);
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
