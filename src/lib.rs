//! Ketama consistent hashing.
//!
//! A [`Ring`] places every server at many points of a circle of 32-bit positions; a key belongs to
//! the server of the first point at or after the key's own position. The points are those of
//! Last.fm's libketama, bit for bit.
//!
//! ```
//! use ketama::{Ring, Server};
//!
//! let ring = Ring::new(&[
//!     Server { name: "10.0.1.1:11211", weight: 600 },
//!     Server { name: "10.0.1.2:11211", weight: 300 },
//! ])?;
//! let server = &ring.servers()[ring.find("user:42")];
//! assert_eq!(&*server.name, b"10.0.1.1:11211");
//! # Ok::<(), ketama::Error>(())
//! ```
//!
//! The same crate builds `libketama.so.1`, whose C interface is described in `include/ketama.h`.

#![deny(unsafe_code)]

#[cfg(panic = "abort")]
compile_error!(
    "ketama must be built with panic = \"unwind\": a panic may not end the program that loaded the library"
);

#[allow(unsafe_code)]
#[doc(hidden)]
pub mod capi;
pub mod dialect;
mod error;
mod hash;
mod ring;
mod servers;
mod stamp;
mod watch;

/// How libketama reads a server definition file, for who is to be told what it would make of one.
#[doc(hidden)]
pub mod libketama {
    pub use crate::servers::{Piece, pieces};
}

#[cfg(fuzzing)]
#[doc(hidden)]
pub use hash::simd::choose as choose_instructions;

pub use dialect::{Dialect, Rules};
pub use error::Error;
pub use ring::{Comparison, Move, Point, Ring, Server};
pub use watch::Watch;
