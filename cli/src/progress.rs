//! A bar on stderr for work of more than a second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long work takes before it is shown.
const SHORT: Duration = Duration::from_secs(1);

pub struct Progress {
    started: Instant,
    done: u64,
    /// Hidden at first, so that it knows the speed when it is shown.
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For reading a file; `is_wanted` is false where lines go to the same terminal.
    pub fn of(path: &Path, is_wanted: bool) -> Progress {
        let is_wanted = is_wanted && io::stderr().is_terminal();
        let file = std::fs::metadata(path).ok().filter(|file| file.is_file());
        Progress {
            started: Instant::now(),
            done: 0,
            bar: is_wanted.then(|| hidden_bar(file.map(|file| file.len()))),
        }
    }

    pub fn advance(&mut self, bytes: usize) {
        let Some(bar) = &self.bar else { return };
        self.done += bytes as u64;
        if bar.is_hidden() && self.started.elapsed() > SHORT {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_position(self.done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A bar for so many bytes, where that is known.
fn hidden_bar(total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "{bar:40} {percent}% of {total_bytes}, {bytes_per_sec}, {eta} left",
        None => "{spinner} {bytes} read, {bytes_per_sec}",
    };
    let style = ProgressStyle::with_template(template).expect("the templates are right");
    ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden()).with_style(style)
}
