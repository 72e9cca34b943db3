//! Whether a file is still the one that was read.
#![forbid(unsafe_code)]

use crate::error::Error;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Seek};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What tells one state of a file from the next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) file: (u64, u64),
    size: u64,
    pub(crate) modified: (i64, i64),
    /// Moves even where a writer sets the modification time back.
    changed: (i64, i64),
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            file: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether any change after `now` gives another stamp. One within the same tick of the file
    /// system's clock does not; ticks are up to 10 ms, or 1 or 2 s where times are whole seconds.
    fn is_settled(&self, now: SystemTime) -> bool {
        let tick = if self.changed.1 == 0 {
            2_000_000_000
        } else {
            20_000_000
        };
        let changed = i128::from(self.changed.0) * 1_000_000_000 + i128::from(self.changed.1);
        now.duration_since(UNIX_EPOCH)
            .is_ok_and(|now| changed + tick < now.as_nanos() as i128)
    }
}

/// How often a file is read that changes all the while.
const MAX_READS: usize = 10;

/// How long a lease is waited for: more than the 45 s that Linux leaves its holder, if not told
/// otherwise.
const LEASE: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_millis(10);

/// What a regular file says at one moment, with a stamp and whether that is settled: a change since
/// the reading began shows in the next stamp.
///
/// ```text
/// read the file
/// its stamp is settled, and the same as before -> it did not change meanwhile
/// read it again until it says the same twice      (what is read while it changes is of two states)
/// ```
///
/// Only a writer that goes back and forth in step with the reading could make the same mixture
/// twice.
pub(crate) fn read<T: PartialEq>(
    path: &Path,
    parse: impl Fn(&File) -> Result<T, Error>,
) -> Result<(T, Stamp, bool), Error> {
    let (mut file, stamp, settled) = open(path)?;
    let mut said = parse(&file)?;
    if settled && Stamp::of(&file.metadata()?) == stamp {
        return Ok((said, stamp, settled));
    }
    for _ in 1..MAX_READS {
        file.rewind()?;
        let again = parse(&file)?;
        if again == said {
            return Ok((said, stamp, settled));
        }
        said = again;
    }
    Err(Error::Changing)
}

/// Opens a regular file, with its stamp and whether that is settled.
fn open(path: &Path) -> io::Result<(File, Stamp, bool)> {
    // To open a device may do something, and who waits at a pipe would go on.
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // It may have become a device or a pipe by now.
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    let mut waited = Duration::ZERO;
    let file = loop {
        match options.open(path) {
            // Another process holds a lease on it, and is asked to give that up.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && waited < LEASE => {
                thread::sleep(MOMENT);
                waited += MOMENT;
            }
            result => break result?,
        }
    };
    let now = SystemTime::now();
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let stamp = Stamp::of(&metadata);
    Ok((file, stamp, stamp.is_settled(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_settled_once_its_tick_is_over() {
        let settled = |changed, now: Duration| {
            let stamp = Stamp {
                file: (1, 2),
                size: 3,
                modified: (4, 5),
                changed,
            };
            stamp.is_settled(UNIX_EPOCH + now)
        };
        let at = |seconds, nanoseconds| Duration::new(seconds, nanoseconds);
        assert!(!settled((100, 5), at(100, 5)));
        assert!(!settled((100, 5), at(100, 20_000_005)));
        assert!(settled((100, 5), at(100, 20_000_006)));
        // Whole seconds may be all that the file system counts.
        assert!(!settled((100, 0), at(102, 0)));
        assert!(settled((100, 0), at(102, 1)));
        // A clock that was set back.
        assert!(!settled((100, 5), at(50, 0)));
    }
}
