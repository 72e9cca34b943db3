//! The process-wide table of rolled files: rolls of an unchanged file share one ring.
//!
//! ```text
//! roll(file):
//!     stamp = stat(file)
//!     the table has this stamp       -> share its ring
//!     read the file                     (nothing is locked here, so a slow disk blocks nobody)
//!     it is bad                      -> lend the last good ring, if the table has one
//!     the table has it by now        -> share that
//!     otherwise                      -> put the new ring into the table
//! ```
//!
//! The table's lock is held for a few comparisons only and never by a lookup. A child of fork() may
//! inherit it locked by a thread that the child does not have; such a table is abandoned, see
//! [`after_fork_in_child`].

use super::mutex::{Guard, Mutex};
use super::ring::ketama_ring;
use crate::error::{Error, try_collect};
use crate::ring::{Ring, Server};
use crate::servers::{self, Reason, Refusal};
use crate::stamp::{self, Stamp};
use std::collections::BTreeMap;
use std::ffi::{CStr, OsStr};
use std::fs;
use std::io::BufReader;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// How much of a name the original's array shows, in bytes.
const MAX_IP: usize = 22;

/// What a continuum shows: the original's array of points, and the ring to search it with.
///
/// `continuum.modtime` points to the whole of it, so that it can be found from any copy of the
/// continuum.
#[repr(C)]
pub(super) struct Rolled {
    /// The file's modification time in seconds, which C reads through `continuum.modtime`.
    modtime: libc::time_t,
    pub(super) ring: Arc<ketama_ring>,
    pub(super) points: Box<[Slot]>,
    /// Its names in the table, which counts them under its lock.
    names: AtomicUsize,
}

/// The original's `mcs`, with its padding made part of `ip`, so that it is 0 and ends a name of 22
/// bytes.
#[repr(C)]
pub(super) struct Slot {
    pub(super) point: u32,
    pub(super) ip: [[u8; 8]; 3],
}

impl Rolled {
    fn new(modtime: libc::time_t, ring: Ring) -> Result<Rolled, Error> {
        let ring = ketama_ring::try_from(ring)?;
        // As numbers, which are copied in registers.
        let shown = |server: &Server| {
            let len = server.name.len().min(MAX_IP);
            let mut ip = [[0; 8]; 3];
            ip.as_flattened_mut()[..len].copy_from_slice(&server.name[..len]);
            ip.map(u64::from_ne_bytes)
        };
        let ips = try_collect(ring.ring.servers().iter().map(shown))?;
        let points = ring.ring.points().map(|point| {
            let [a, b, c] = ips[point.server as usize];
            Slot {
                point: point.point,
                ip: [a.to_ne_bytes(), b.to_ne_bytes(), c.to_ne_bytes()],
            }
        });
        Ok(Rolled {
            modtime,
            points: try_collect(points)?,
            names: AtomicUsize::new(0),
            ring: Arc::new(ring),
        })
    }
}

/// Why a roll failed.
pub(super) enum Failure {
    /// There is no such file.
    NoFile,
    /// The file says nothing about servers.
    NoServers,
    /// The file is wrong; the last good ring of this file, if there is one.
    Bad {
        reason: Reason,
        line: Option<u64>,
        last: Option<Arc<Rolled>>,
    },
}

struct Entry {
    /// Its absolute path at its latest roll: a relative one may since mean another file.
    path: PathBuf,
    stamp: Stamp,
    /// Whether an equal stamp means an equal file.
    settled: bool,
    rolled: Arc<Rolled>,
    /// When it was last shared, in rolls.
    used: u64,
}

impl Entry {
    /// Whether no continuum holds its ring.
    fn is_idle(&self) -> bool {
        Arc::strong_count(&self.rolled) == self.rolled.names.load(Ordering::Relaxed)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.rolled.names.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The last good roll of each file, by its name as it was given.
#[derive(Default)]
struct Table {
    entries: BTreeMap<PathBuf, Entry>,
    rolls: u64,
}

impl Table {
    /// How many rings are kept that no continuum holds.
    const MAX_IDLE: usize = 8;

    fn share(&mut self, name: &Path, stamp: &Stamp) -> Option<Arc<Rolled>> {
        let is_same = |entry: &&mut Entry| entry.settled && entry.stamp == *stamp;
        let entry = self.entries.get_mut(name).filter(is_same)?;
        self.rolls += 1;
        entry.used = self.rolls;
        Some(Arc::clone(&entry.rolled))
    }

    /// The ring of a file's latest good roll, by whatever name that was.
    fn last_good(&self, path: &Path) -> Option<Arc<Rolled>> {
        let entries = self.entries.values().filter(|entry| entry.path == path);
        let latest = entries.max_by_key(|entry| entry.used)?;
        Some(Arc::clone(&latest.rolled))
    }

    /// Puts a ring in its file's place. Where an equal one of the same file is there, by whatever
    /// name, that one takes its part.
    fn insert(&mut self, name: &Path, mut new: Entry) -> Arc<Rolled> {
        let same = self.entries.values().find(|old| {
            old.stamp.file == new.stamp.file
                && old.stamp.modified == new.stamp.modified
                && old.rolled.ring.ring.servers() == new.rolled.ring.ring.servers()
        });
        if let Some(old) = same {
            new.rolled = Arc::clone(&old.rolled);
        }
        self.rolls += 1;
        new.used = self.rolls;
        let rolled = Arc::clone(&new.rolled);
        rolled.names.fetch_add(1, Ordering::Relaxed);
        // The name may have meant a file of another folder, which keeps its last good ring.
        if let Some(old) = self.entries.remove(name).filter(|old| old.path != new.path) {
            let kept = self.entries.get(&old.path);
            if kept.is_none_or(|kept| kept.used < old.used) {
                self.entries.insert(old.path.clone(), old);
            }
        }
        self.entries.insert(name.to_owned(), new);
        self.drop_idle();
        rolled
    }

    /// Forgets the rings that are idle for longest. It allocates nothing, for `ketama_smoke()`.
    fn drop_idle(&mut self) {
        loop {
            let idle = self.entries.values().filter(|entry| entry.is_idle());
            let (count, oldest) = idle.fold((0, u64::MAX), |(count, oldest), entry| {
                (count + 1, entry.used.min(oldest))
            });
            if count <= Self::MAX_IDLE {
                return;
            }
            self.entries.retain(|_, entry| entry.used != oldest);
        }
    }
}

/// The table, made by the first roll. Once published it is never freed: a fork may leave it to a
/// child.
static TABLE: AtomicPtr<Mutex<Table>> = AtomicPtr::new(std::ptr::null_mut());
static HAS_FORK_HANDLER: AtomicBool = AtomicBool::new(false);

/// Runs in a child, on its only thread, before fork() returns there: makes it forget a table that
/// another thread of the parent had locked, since nobody is left to unlock it. Its next roll begins
/// a new one.
extern "C" fn after_fork_in_child() {
    // SAFETY: NULL or published, hence never freed.
    let table = unsafe { TABLE.load(Ordering::Acquire).as_ref() };
    if table.is_some_and(|table| table.try_lock().is_none()) {
        TABLE.store(std::ptr::null_mut(), Ordering::Release);
    }
}

/// Locks the table. `None` where a fork could not be survived: then a roll keeps its ring to
/// itself.
fn lock() -> Option<Guard<'static, Table>> {
    // No Once: a fork could leave it half done. Handlers of two threads that come here together do
    // no harm.
    if !HAS_FORK_HANDLER.load(Ordering::Acquire) {
        // SAFETY: the handler stays loaded (-z nodelete), and only reads and writes atomics.
        if unsafe { libc::pthread_atfork(None, None, Some(after_fork_in_child)) } != 0 {
            return None;
        }
        HAS_FORK_HANDLER.store(true, Ordering::Release);
    }
    let mut table = TABLE.load(Ordering::Acquire);
    if table.is_null() {
        let new = Box::into_raw(Box::<Mutex<Table>>::default());
        let swap = TABLE.compare_exchange(table, new, Ordering::AcqRel, Ordering::Acquire);
        table = swap.map_or_else(
            |theirs| {
                // SAFETY: from Box::into_raw above, and not published.
                drop(unsafe { Box::from_raw(new) });
                theirs
            },
            |_| new,
        );
    }
    // SAFETY: published, hence never freed.
    Some(unsafe { &*table }.lock())
}

/// The ring that a server definition file defines now.
pub(super) fn roll(name: &CStr) -> Result<Arc<Rolled>, Failure> {
    let path = Path::new(OsStr::from_bytes(name.to_bytes()));
    let metadata = fs::metadata(path).map_err(|_| Failure::NoFile)?;
    let stamp = Stamp::of(&metadata);
    if let Some(rolled) = lock().and_then(|mut table| table.share(path, &stamp)) {
        return Ok(rolled);
    }

    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let bad = |reason, line| Failure::Bad {
        reason,
        line,
        last: lock().and_then(|table| table.last_good(&absolute)),
    };
    let read = stamp::read(path, |file| match servers::read(BufReader::new(file)) {
        Err(Refusal::Line {
            reason: Reason::OutOfMemory,
            ..
        }) => Err(Error::OutOfMemory),
        said => Ok(said),
    });
    let (definitions, stamp, settled) = read.map_err(|error| match error {
        Error::Changing => bad(Reason::Changing, None),
        Error::OutOfMemory => bad(Reason::OutOfMemory, None),
        _ => Failure::NoServers,
    })?;
    let definitions = definitions.map_err(|refusal| match refusal {
        Refusal::NoServers => Failure::NoServers,
        Refusal::Line { number, reason } => bad(reason, Some(number)),
    })?;
    let ring = Ring::new(&definitions.servers).map_err(|error| {
        let line = error.server().map(|server| definitions.lines[server]);
        bad(Reason::Ring(error), line)
    })?;
    let rolled =
        Rolled::new(stamp.modified.0, ring).map_err(|error| bad(Reason::Ring(error), None))?;
    let rolled = Arc::new(rolled);
    Ok(match lock() {
        Some(mut table) => {
            let entry = Entry {
                path: absolute,
                stamp,
                settled,
                rolled,
                used: 0,
            };
            table.insert(path, entry)
        }
        None => rolled,
    })
}

/// Ends a continuum's share of a ring. If it was the last, rings that are idle for long may go.
pub(super) fn smoke(rolled: Arc<Rolled>) {
    let is_last = Arc::strong_count(&rolled) == rolled.names.load(Ordering::Relaxed) + 1;
    drop(rolled);
    // SAFETY: NULL or published, hence never freed.
    let table = unsafe { TABLE.load(Ordering::Acquire).as_ref() };
    if let (true, Some(mut table)) = (is_last, table.and_then(Mutex::try_lock)) {
        table.drop_idle();
    }
}
