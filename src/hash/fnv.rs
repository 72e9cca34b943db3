#![forbid(unsafe_code)]

/// "fnv1a_64" as libmemcached and twemproxy compute it: 32 bits of it alone, and each byte taken as
/// a signed char.
pub(crate) fn fnv1a_64(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x8422_2325, |value: u32, &byte| {
        (value ^ i32::from(byte as i8) as u32).wrapping_mul(0x1b3)
    })
}
