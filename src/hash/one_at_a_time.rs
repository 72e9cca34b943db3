#![forbid(unsafe_code)]

/// Bob Jenkins's one-at-a-time, with each byte taken as a signed char, as libmemcached does on x86.
pub(crate) fn one_at_a_time(bytes: &[u8]) -> u32 {
    let mut value = 0u32;
    for &byte in bytes {
        value = value.wrapping_add(i32::from(byte as i8) as u32);
        value = value.wrapping_add(value << 10);
        value ^= value >> 6;
    }
    value = value.wrapping_add(value << 3);
    value ^= value >> 11;
    value.wrapping_add(value << 15)
}
