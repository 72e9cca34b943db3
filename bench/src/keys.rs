//! The keys that are looked up.

use crate::contenders::ours::Key;
use std::ops::RangeInclusive;

/// What keys look like.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Decimal,
    Twenty,
    Mixed,
    Long,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Decimal, Kind::Twenty, Kind::Mixed, Kind::Long];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Decimal => "decimal numbers from 0",
            Kind::Twenty => "20 bytes",
            Kind::Mixed => "5 to 60 bytes, mixed",
            Kind::Long => "100 to 200 bytes, mixed",
        }
    }

    fn key(self, index: usize, random: &mut Random) -> String {
        match self {
            Kind::Decimal => index.to_string(),
            Kind::Twenty => format!("user:{index:015}"),
            Kind::Mixed => random.letters(5..=60),
            Kind::Long => random.letters(100..=200),
        }
    }
}

/// Keys, twice: one behind the other, and each ended by a NUL, for those who want that.
pub struct Keys {
    bytes: Vec<u8>,
    offsets: Vec<u32>,
    /// Point into `terminated`.
    pointers: Vec<Key>,
    _terminated: Vec<u8>,
}

impl Keys {
    pub fn new(kind: Kind, count: usize) -> Keys {
        let (mut bytes, mut offsets, mut terminated) = (Vec::new(), vec![0], Vec::new());
        let mut random = Random(1);
        for index in 0..count {
            let key = kind.key(index, &mut random);
            bytes.extend(key.as_bytes());
            offsets.push(bytes.len() as u32);
            terminated.extend(key.as_bytes());
            terminated.push(0);
        }
        let ends = offsets.windows(2).enumerate();
        let pointers = ends.map(|(index, ends)| Key {
            data: terminated[ends[0] as usize + index..].as_ptr().cast(),
            len: (ends[1] - ends[0]) as usize,
        });
        Keys {
            pointers: pointers.collect(),
            bytes,
            offsets,
            _terminated: terminated,
        }
    }

    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let ends = self.offsets.windows(2);
        ends.map(|ends| &self.bytes[ends[0] as usize..ends[1] as usize])
    }

    /// The bytes of all keys, and where each begins and ends.
    pub fn packed(&self) -> (&[u8], &[u32]) {
        (&self.bytes, &self.offsets)
    }

    /// Pointers to the keys that a NUL ends.
    pub fn pointers(&self) -> &[Key] {
        &self.pointers
    }

    /// A key a line, of the first `count`.
    pub fn lines(&self, count: usize) -> Vec<u8> {
        let lines = self.iter().take(count);
        lines.flat_map(|key| [key, b"\n"].concat()).collect()
    }
}

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn letters(&mut self, lengths: RangeInclusive<u64>) -> String {
        let length = lengths.start() + self.next() % (lengths.end() - lengths.start() + 1);
        let letters = (0..length).map(|_| char::from(b'a' + (self.next() % 26) as u8));
        letters.collect()
    }
}
