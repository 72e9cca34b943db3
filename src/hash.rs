//! The hashes that place servers and keys on a ring.
#![forbid(unsafe_code)]

pub(crate) mod md5;
