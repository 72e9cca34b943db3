#![forbid(unsafe_code)]

pub(super) const START: u32 = 0x8422_2325;
pub(super) const PRIME: u32 = 0x1b3;

/// "fnv1a_64" as libmemcached and twemproxy compute it: 32 bits of it alone, each byte taken as a
/// signed char, and 0 of nothing.
pub(crate) fn fnv1a_64(bytes: &[u8]) -> u32 {
    if bytes.is_empty() {
        return 0;
    }
    bytes.iter().fold(START, |value, &byte| {
        (value ^ i32::from(byte as i8) as u32).wrapping_mul(PRIME)
    })
}
