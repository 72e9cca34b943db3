//! A ring that follows its definition file.
#![forbid(unsafe_code)]

use crate::dialect::Dialect;
use crate::error::Error;
use crate::ring::Ring;
use crate::stamp::Stamp;
use arc_swap::ArcSwap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A server definition file and the ring that it defines, for programs that live longer than their
/// lists of servers.
///
/// Nothing happens by itself: [`poll`](Watch::poll) looks whether the file has changed, and makes
/// the new ring the current one at once and whole. [`ring`](Watch::ring) never waits. Any thread
/// may call either at any time.
pub struct Watch<T = Ring> {
    path: PathBuf,
    dialect: Dialect,
    current: ArcSwap<State<T>>,
}

struct State<T> {
    stamp: Stamp,
    settled: bool,
    ring: Arc<T>,
}

impl<T: TryFrom<Ring> + AsRef<Ring>> Watch<T>
where
    Error: From<T::Error>,
{
    /// Reads the file, strictly as [`Ring::from_file`] does.
    pub fn new(path: impl AsRef<Path>, dialect: Dialect) -> Result<Watch<T>, Error> {
        // The working folder may change before the next poll.
        let path = std::path::absolute(path)?;
        let state = read(&path, dialect)?;
        Ok(Watch {
            path,
            dialect,
            current: ArcSwap::from_pointee(state),
        })
    }

    /// The current ring. It stays as it is; a later one takes its place here.
    pub fn ring(&self) -> Arc<T> {
        Arc::clone(&self.current.load().ring)
    }

    /// Reads the file again if its size, inode or times have changed, and says whether this call
    /// has made a new ring the current one. On an error the current ring stays, and the next poll
    /// tries again.
    pub fn poll(&self) -> Result<bool, Error> {
        loop {
            let old = self.current.load();
            if old.settled && Stamp::of(&fs::metadata(&self.path)?) == old.stamp {
                return Ok(false);
            }
            let mut new: State<T> = read(&self.path, self.dialect)?;
            let is_same = (*new.ring).as_ref().servers() == (*old.ring).as_ref().servers();
            if is_same {
                if !new.settled && new.stamp == old.stamp {
                    return Ok(false);
                }
                new.ring = Arc::clone(&old.ring);
            }
            let before = self.current.compare_and_swap(&old, Arc::new(new));
            if Arc::ptr_eq(&before, &old) {
                return Ok(!is_same);
            }
            // Another thread was first, perhaps with an older file: look again.
        }
    }
}

fn read<T: TryFrom<Ring>>(path: &Path, dialect: Dialect) -> Result<State<T>, Error>
where
    Error: From<T::Error>,
{
    let (ring, stamp, settled) = Ring::read(path, dialect)?;
    Ok(State {
        stamp,
        settled,
        ring: Arc::new(ring.try_into()?),
    })
}
