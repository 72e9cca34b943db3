//! Whether a file is still the one that was read.
#![forbid(unsafe_code)]

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

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

/// Opens a regular file, with its stamp and whether that is settled.
pub(crate) fn open(path: &Path) -> io::Result<(File, Stamp, bool)> {
    // O_NONBLOCK: it may have become a pipe by now. A regular file would block where another
    // process holds a lease on it, until that is given up.
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NONBLOCK);
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => File::open(path),
        result => result,
    }?;
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
    use std::time::Duration;

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
