//! Servers to points, by libketama's rules.
#![forbid(unsafe_code)]

use super::{Ring, Server};
use crate::error::Error;
use crate::hash::md5;
use std::collections::TryReserveError;
use std::io::Write;

impl From<TryReserveError> for Error {
    fn from(_: TryReserveError) -> Error {
        Error::OutOfMemory
    }
}

pub(super) fn ring<N: AsRef<[u8]>>(servers: &[Server<N>]) -> Result<Ring, Error> {
    let total = total_weight(servers)?;
    let points = count_points(servers, total)?;

    // A point above its server's index: sorting these numbers gives ring order, and of equal points
    // the server listed first.
    let mut keyed: Vec<u64> = Vec::new();
    keyed.try_reserve_exact(points)?;
    let mut node = Vec::with_capacity(Server::MAX_NAME + 11);
    for (index, server) in servers.iter().enumerate() {
        node.clear();
        node.extend_from_slice(server.name.as_ref());
        node.push(b'-');
        let stem = node.len();
        for k in 0..digests(server.weight, total, servers.len()) {
            node.truncate(stem);
            write!(node, "{k}").expect("a Vec takes every write");
            keyed.extend(md5::words(&node).map(|word| u64::from(word) << 32 | index as u64));
        }
    }
    keyed.sort_unstable();

    Ok(Ring {
        servers: collect(servers.iter().map(|server| Server {
            name: server.name.as_ref().into(),
            weight: server.weight,
        }))?,
        positions: collect(keyed.iter().map(|key| (key >> 32) as u32))?,
        owners: collect(keyed.iter().map(|&key| key as u32))?,
    })
}

fn total_weight<N: AsRef<[u8]>>(servers: &[Server<N>]) -> Result<u64, Error> {
    if servers.is_empty() {
        return Err(Error::NoServers);
    }
    let mut total = 0u64;
    for (index, server) in servers.iter().enumerate() {
        match server.name.as_ref().len() {
            0 => return Err(Error::EmptyName { server: index }),
            1..=Server::MAX_NAME => {}
            _ => return Err(Error::LongName { server: index }),
        }
        if server.weight == 0 {
            return Err(Error::ZeroWeight { server: index });
        }
        total = total
            .checked_add(server.weight)
            .ok_or(Error::WeightSum { server: index })?;
    }
    Ok(total)
}

fn count_points<N>(servers: &[Server<N>], total: u64) -> Result<usize, Error> {
    let mut points = 0u64;
    for (index, server) in servers.iter().enumerate() {
        points += 4 * u64::from(digests(server.weight, total, servers.len()));
        // An `int numpoints` must hold the count.
        if points > i32::MAX as u64 {
            return Err(Error::TooManyPoints { server: index });
        }
    }
    Ok(points as usize)
}

/// How many digests of four points libketama gives a server: about 40 times its share of an equal
/// part.
///
/// The order and width of each rounding are the original's: 61 equal servers get 39 each.
fn digests(weight: u64, total: u64, servers: usize) -> u32 {
    let share = weight as f32 / total as f32;
    (f64::from(share) * 40.0 * f64::from(servers as f32)) as f32 as u32
}

fn collect<T>(items: impl ExactSizeIterator<Item = T>) -> Result<Box<[T]>, Error> {
    let mut list = Vec::new();
    list.try_reserve_exact(items.len())?;
    list.extend(items);
    Ok(list.into_boxed_slice())
}
