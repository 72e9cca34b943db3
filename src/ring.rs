//! The ring itself: sorted points and the search for a key's successor.
#![forbid(unsafe_code)]

mod build;

use crate::error::Error;
use crate::hash::md5;

/// A cache server: its name as the ring hashes it, and its weight.
///
/// A name is opaque text of 1 to [`MAX_NAME`](Server::MAX_NAME) bytes, usually `host:port`; it is
/// hashed whole. A weight is at least 1; only its share of the sum of all weights matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Server<N = Box<[u8]>> {
    pub name: N,
    pub weight: u64,
}

impl Server {
    /// The longest name that a ring accepts, in bytes.
    pub const MAX_NAME: usize = 1023;
}

/// One point of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    /// Its position on the circle.
    pub point: u32,
    /// The index of the server that it belongs to.
    pub server: u32,
}

/// A ketama continuum with libketama's points. Immutable, so that any number of threads may share
/// one.
#[derive(Clone, Debug)]
pub struct Ring {
    servers: Box<[Server]>,
    /// Ascending; never empty.
    positions: Box<[u32]>,
    /// `owners[i]` is the server at `positions[i]`.
    owners: Box<[u32]>,
}

impl Ring {
    /// Makes the ring of these servers.
    ///
    /// The order of the list matters where two servers share a point: it belongs to the one listed
    /// first. A server listed twice counts as two. A server whose share of the weights is below
    /// about 1/40 of an equal share gets no point.
    pub fn new<N: AsRef<[u8]>>(servers: &[Server<N>]) -> Result<Ring, Error> {
        build::ring(servers)
    }

    /// The index, in [`servers`](Ring::servers), of the server that this key belongs to.
    pub fn find(&self, key: impl AsRef<[u8]>) -> usize {
        self.owners[self.successor(Self::position(key.as_ref()))] as usize
    }

    /// The servers in the order given to [`new`](Ring::new).
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The points in ring order: ascending, and of equal ones the server listed first comes first.
    pub fn points(&self) -> impl ExactSizeIterator<Item = Point> {
        self.positions
            .iter()
            .zip(&self.owners)
            .map(|(&point, &server)| Point { point, server })
    }

    /// A key's place on the circle.
    pub(crate) fn position(key: &[u8]) -> u32 {
        md5::words(key)[0]
    }

    /// The index, in ring order, of the first point at or after a position; past the last point, of
    /// the first.
    pub(crate) fn successor(&self, position: u32) -> usize {
        let at = self.positions.partition_point(|&point| point < position);
        if at == self.positions.len() { 0 } else { at }
    }
}
