#![forbid(unsafe_code)]

use md5::{Digest, Md5};

pub(crate) fn digest(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// The digest as four little-endian words: the points that it stands for.
pub(crate) fn words(bytes: &[u8]) -> [u32; 4] {
    let digest = digest(bytes);
    std::array::from_fn(|i| u32::from_le_bytes(std::array::from_fn(|j| digest[4 * i + j])))
}
