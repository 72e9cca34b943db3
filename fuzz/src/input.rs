//! How the bytes of an input are taken for numbers and lists. Every input means something, and lists
//! stand in it as they are, so that seeds and dictionaries can be written down.

use crate::c::dialect_rules;
use ketama::Dialect;
use ketama::capi::rules::ketama_rules;
use std::ffi::c_int;

/// The bytes that are left. Behind the end everything is 0.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub fn short(&mut self) -> usize {
        self.little_endian(2) as usize
    }

    pub fn word(&mut self) -> u32 {
        self.little_endian(4) as u32
    }

    pub fn number(&mut self) -> u64 {
        match self.byte() {
            small @ ..240 => small.into(),
            large => self.little_endian(usize::from(large - 240).min(8)),
        }
    }

    /// A string ended by a NUL.
    pub fn text(&mut self) -> &'a [u8] {
        let len = self.0.iter().position(|&byte| byte == 0);
        let text = self.take(len.unwrap_or(self.0.len()));
        self.byte();
        text
    }

    /// Names and weights.
    pub fn servers(&mut self) -> Vec<(&'a [u8], u64)> {
        let count = self.byte() % 48;
        let server = |_| {
            let weight = self.number();
            (self.text(), weight)
        };
        (0..count).map(server).collect()
    }

    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn little_endian(&mut self, len: usize) -> u64 {
        let mut bytes = [0; 8];
        let taken = self.take(len);
        bytes[..taken.len()].copy_from_slice(taken);
        u64::from_le_bytes(bytes)
    }
}

/// The rules of the dialect that the low 4 bits of a byte choose, with changes: a byte that says how
/// many, and for each a field and its value.
pub fn rules(dialect: u8, input: &mut Input) -> ketama_rules {
    let mut rules = dialect_rules(usize::from(dialect & 0xf) % Dialect::ALL.len());
    for _ in 0..input.byte() % 16 {
        let (field, value) = (input.byte(), input.number());
        let choice = value as c_int;
        match field % 12 {
            0 => rules.name = choice,
            1 => rules.digest = choice,
            2 => rules.points_per_digest = value as u32,
            3 => rules.count = choice,
            4 => rules.base = value as u32,
            5 => rules.zero_weight = choice,
            6 => rules.order = choice,
            7 => rules.ties = choice,
            8 => rules.key_hash = choice,
            9 => rules.lookup = choice,
            10 => rules.separator = value as u8,
            _ => rules.struct_size = rules.struct_size.wrapping_add(value as usize),
        }
    }
    rules
}
