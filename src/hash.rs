//! The hashes that place servers and keys on a ring.
#![deny(unsafe_code)]
// Lanes are for x86-64's instructions alone.
#![cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, unused_imports, unused_macros, unused_variables)
)]

#[allow(unsafe_code)]
pub(crate) mod bytewise;
mod fnv;
#[allow(unsafe_code)]
pub(crate) mod lanes;
pub(crate) mod md5;
mod one_at_a_time;
pub(crate) mod simd;

use sha1::{Digest, Sha1};

pub(crate) use fnv::fnv1a_64;
pub(crate) use one_at_a_time::one_at_a_time;

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// The CRC-32 of what gave `crc` followed by these bytes.
pub(crate) fn crc32_continued(crc: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(crc);
    hasher.update(bytes);
    hasher.finalize()
}

/// The first word of the SHA-1, big-endian.
pub(crate) fn sha1(bytes: &[u8]) -> u32 {
    let digest = Sha1::digest(bytes);
    u32::from_be_bytes(std::array::from_fn(|i| digest[i]))
}
