//! A bar on stderr for work of more than a second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

pub struct Progress {
    started: Instant,
    /// Bytes in all, where that is known.
    total: Option<u64>,
    done: u64,
    is_wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For reading a file; `is_wanted` is false where lines go to the same terminal.
    pub fn of(path: &Path, is_wanted: bool) -> Progress {
        let file = std::fs::metadata(path).ok().filter(|file| file.is_file());
        Progress {
            started: Instant::now(),
            total: file.map(|file| file.len()),
            done: 0,
            is_wanted: is_wanted && io::stderr().is_terminal(),
            bar: None,
        }
    }

    pub fn advance(&mut self, bytes: usize) {
        self.done += bytes as u64;
        if self.bar.is_none() && self.is_wanted && self.started.elapsed() > Duration::from_secs(1) {
            self.bar = Some(bar(self.total));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "{bar:40} {percent}% of {total_bytes}, {bytes_per_sec}, {eta} left",
        None => "{spinner} {bytes} read, {bytes_per_sec}",
    };
    let style = ProgressStyle::with_template(template).expect("the templates are right");
    ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr()).with_style(style)
}
