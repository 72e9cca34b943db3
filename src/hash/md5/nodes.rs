//! Digests of node strings, which the points of a ring are made of.

use super::START;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use crate::hash::lanes::LANES;
use crate::hash::simd::Simd;

/// How many numbers are in a row: the lanes of AVX2's vectors, and half of AVX-512's.
pub(super) const ROW: usize = 8;

/// As many rows as are hashed side by side: a stem each, and behind it numbers, one a lane.
pub(super) type Rows = [Row; LANES / ROW];

/// Words of digests, of all lanes.
pub(super) type Digests = [[u32; LANES]; 4];

/// Digests of node strings, which are a stem and a number in decimal: those of a stem share all but
/// the words where the number stands, so that no block is padded and transposed for each.
pub(crate) struct Nodes {
    simd: Simd,
    /// How many words of a digest are points.
    points: usize,
    rows: Rows,
    len: usize,
    /// The numbers from 0 on, as far as they were met.
    numbers: Vec<Numbers>,
}

#[derive(Clone, Copy)]
pub(super) struct Row {
    /// The words of the stem, with its length in bits where MD5's padding has it.
    pub(super) stem: [u32; 16],
    /// The stem's length in bytes.
    pub(super) len: usize,
    pub(super) numbers: Numbers,
    /// How many of the numbers are wanted.
    wanted: usize,
}

/// Eight numbers in decimal.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    /// The words of each one's digits and of the 0x80 behind them.
    pub(super) words: [[u32; ROW]; 3],
    /// The lengths of the digits in bits.
    pub(super) bits: [u32; ROW],
}

impl Row {
    /// Whether the blocks have nothing in words 8 to 13.
    pub(super) fn is_short(&self) -> bool {
        // The last number is the longest.
        8 * self.len as u32 + self.numbers.bits[ROW - 1] < 8 * 32
    }

    /// What number `lane` adds to the words from that on where the stem ends.
    fn number(&self, lane: usize) -> [u32; 4] {
        let shift = 8 * (self.len % 4);
        let [first, second, third] = self.numbers.words.map(|words| words[lane]);
        let number = u128::from(first) | u128::from(second) << 32 | u128::from(third) << 64;
        std::array::from_fn(|i| (number << shift >> (32 * i)) as u32)
    }
}

impl Numbers {
    const NONE: Numbers = Numbers {
        words: [[0; ROW]; 3],
        bits: [0; ROW],
    };

    /// The numbers from `first` on, which are below 10^11.
    fn from(first: u64) -> Numbers {
        let mut numbers = Numbers::NONE;
        for (lane, number) in (first..).take(ROW).enumerate() {
            let mut text = 0x80u128;
            let mut rest = number;
            loop {
                text = (text << 8) | u128::from(b'0' + (rest % 10) as u8);
                numbers.bits[lane] += 8;
                rest /= 10;
                if rest == 0 {
                    break;
                }
            }
            for (at, words) in numbers.words.iter_mut().enumerate() {
                words[lane] = (text >> (32 * at)) as u32;
            }
        }
        numbers
    }
}

impl Nodes {
    /// The longest node string, in bytes.
    pub(crate) const MAX: usize = 55;

    /// How many rows of numbers are kept. Those behind them, which few servers have, are made anew.
    const KEPT: usize = 128;

    pub(crate) fn new(simd: Simd, points_per_digest: u8) -> Nodes {
        let row = Row {
            stem: [0; 16],
            len: 0,
            numbers: Numbers::NONE,
            wanted: 0,
        };
        Nodes {
            simd,
            points: points_per_digest.into(),
            rows: [row; LANES / ROW],
            len: 0,
            // One allocation, whatever the counts are.
            numbers: Vec::with_capacity(Nodes::KEPT),
        }
    }

    /// Appends the points of a stem with the numbers from 0 to before `count` behind it, none longer
    /// than [`MAX`](Nodes::MAX): behind those that were added before, and all of them by
    /// [`finish`](Nodes::finish) at the latest.
    pub(crate) fn add(&mut self, stem: &[u8], count: u64, points: &mut Vec<u32>) {
        let mut bytes = [0; 64];
        bytes[..stem.len()].copy_from_slice(stem);
        let mut words = block_words(&bytes);
        words[14] = 8 * stem.len() as u32;
        for first in (0..count).step_by(ROW) {
            let place = first as usize / ROW;
            if place == self.numbers.len() && place < Self::KEPT {
                self.numbers.push(Numbers::from(first));
            }
            let row = &mut self.rows[self.len];
            row.stem = words;
            row.len = stem.len();
            row.numbers = match self.numbers.get(place) {
                Some(numbers) => *numbers,
                None => Numbers::from(first),
            };
            row.wanted = (count - first).min(ROW as u64) as usize;
            self.len += 1;
            if self.len == self.rows.len() {
                self.finish(points);
            }
        }
    }

    /// Appends what is missing yet.
    pub(crate) fn finish(&mut self, points: &mut Vec<u32>) {
        if self.len == 0 {
            return;
        }
        let mut digests = [[0; LANES]; 4];
        compute(self.simd, &self.rows, &mut digests);
        let rows = self.rows[..std::mem::take(&mut self.len)].iter();
        for (i, row) in rows.enumerate() {
            for words in &digests[..self.points] {
                let words = &words.as_chunks::<ROW>().0[i];
                if row.wanted == ROW {
                    // Of a size that the compiler knows.
                    points.extend_from_slice(words);
                } else {
                    points.extend_from_slice(&words[..row.wanted]);
                }
            }
        }
    }
}

fn block_words(block: &[u8; 64]) -> [u32; 16] {
    std::array::from_fn(|i| u32::from_le_bytes(std::array::from_fn(|j| block[4 * i + j])))
}

/// The digests of the messages in rows, word by word; those that are not wanted may be anything.
fn compute(simd: Simd, rows: &Rows, digests: &mut Digests) {
    match simd {
        Simd::Scalar => {
            for (i, row) in rows.iter().enumerate() {
                for lane in 0..row.wanted {
                    let mut words = row.stem;
                    for (word, number) in words[row.len / 4..].iter_mut().zip(row.number(lane)) {
                        *word |= number;
                    }
                    words[14] += row.numbers.bits[lane];
                    let mut block = [0; 64];
                    for (bytes, word) in block.as_chunks_mut().0.iter_mut().zip(words) {
                        *bytes = word.to_le_bytes();
                    }
                    let mut state = START;
                    md5::block_api::compress(&mut state, &[block]);
                    for (words, word) in digests.iter_mut().zip(state) {
                        words[ROW * i + lane] = word;
                    }
                }
            }
        }
        // SAFETY: `Simd` says that this processor has the instructions.
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        Simd::Avx2 => unsafe { avx2::digests(rows, digests) },
        // SAFETY: the same.
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        Simd::Avx512 => unsafe { avx512::digests(rows, digests) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::md5::words;

    #[test]
    fn nodes_have_the_digests_of_their_strings() {
        // Around where numbers get longer, rows end and are no longer kept, and batches end.
        let counts = [
            0u64, 1, 7, 8, 9, 10, 11, 40, 95, 96, 97, 99, 100, 101, 999, 1000, 1001, 1023, 1025,
            10_001,
        ];
        for simd in Simd::here() {
            for words_per_digest in 1..=4 {
                let mut nodes = Nodes::new(simd, words_per_digest);
                let (mut points, mut expected) = (Vec::new(), Vec::new());
                for (i, &count) in counts.iter().enumerate() {
                    let digits = count.saturating_sub(1).to_string().len();
                    for len in (1..=Nodes::MAX - digits).step_by(1 + i / 9 * 6) {
                        let stem: Vec<u8> = (0..len).map(|at| (at * 37 + 200 + i) as u8).collect();
                        nodes.add(&stem, count, &mut points);
                        let digests: Vec<[u32; 4]> = (0..count)
                            .map(|k| words(&[&stem, k.to_string().as_bytes()].concat()))
                            .collect();
                        let mut server = Vec::new();
                        for row in digests.chunks(ROW) {
                            for word in 0..words_per_digest.into() {
                                server.extend(row.iter().map(|digest| digest[word]));
                            }
                        }
                        expected.extend(server);
                    }
                }
                nodes.finish(&mut points);
                assert!(points == expected, "{simd:?}, {words_per_digest} words");
            }
        }
    }

    #[test]
    fn numbers_may_have_ten_digits() {
        let numbers = Numbers::from(9_999_999_996);
        let text = |lane: usize| -> Vec<u8> {
            let words = numbers.words.map(|words| words[lane].to_le_bytes());
            words.as_flattened().to_vec()
        };
        assert_eq!(text(3), b"9999999999\x80\0");
        assert_eq!(text(4), b"10000000000\x80");
        assert_eq!((numbers.bits[3], numbers.bits[4]), (80, 88));
    }
}
