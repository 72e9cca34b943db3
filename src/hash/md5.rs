//! MD5, whose little-endian words are points and the positions of keys.

#[allow(unsafe_code)]
mod first_word;

use md5::{Digest, Md5};

pub(crate) fn digest(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// The digest as four little-endian words: the points that it stands for.
pub(crate) fn words(bytes: &[u8]) -> [u32; 4] {
    let digest = digest(bytes);
    std::array::from_fn(|i| u32::from_le_bytes(std::array::from_fn(|j| digest[4 * i + j])))
}

/// The first of these words: the position of a key.
pub(crate) fn first_word(bytes: &[u8]) -> u32 {
    match only_block(bytes) {
        Some(block) => first_word::first_word(&block),
        None => words(bytes)[0],
    }
}

/// Bytes with MD5's padding, a bit, zeros and their length in bits, if one block holds it.
fn only_block(bytes: &[u8]) -> Option<[u8; 64]> {
    let mut block = [0; 64];
    block[..56].get_mut(..=bytes.len())?[..bytes.len()].copy_from_slice(bytes);
    block[bytes.len()] = 0x80;
    block[56..].copy_from_slice(&(8 * bytes.len() as u64).to_le_bytes());
    Some(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_that_of_the_whole_digest() {
        let bytes: Vec<u8> = (0..=255)
            .cycle()
            .map(|i: u8| i.wrapping_mul(167))
            .take(4096)
            .collect();
        for len in 0..200 {
            for start in 0..64 {
                let message = &bytes[61 * start..][..len];
                assert_eq!(
                    first_word(message),
                    words(message)[0],
                    "{len} bytes from {start}"
                );
            }
        }
    }
}
