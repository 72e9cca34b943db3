//! Keys from a file or a pipe, as many at once as come.

use crate::failure::Failure;
use crate::progress::Progress;
use crate::servers::{open, unreadable};
use memchr::{memchr_iter, memrchr};
use std::io;
use std::path::Path;

/// What is read at once where a file has it; a pipe gives what it has.
const BUFFER: usize = 1 << 18;

/// Hands out the keys of a file in groups: what stands before each delimiter, and behind the last
/// where that is something.
pub fn for_each_group(
    path: &Path,
    delimiter: u8,
    is_bar_wanted: bool,
    mut group: impl FnMut(&[&[u8]]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut input = open(path)?;
    let mut progress = Progress::of(path, is_bar_wanted);
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize(2 * filled, 0);
        }
        let read = match input.read(&mut buffer[filled..]) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(path, &error)),
        };
        if read == 0 {
            break;
        }
        let new = filled..filled + read;
        filled = new.end;
        let Some(last) = memrchr(delimiter, &buffer[new.clone()]) else {
            continue;
        };
        let end = new.start + last + 1;
        group(&keys(&buffer[..end], delimiter))?;
        buffer.copy_within(end..filled, 0);
        filled -= end;
        progress.advance(end);
    }
    if filled > 0 {
        group(&[&buffer[..filled]])?;
    }
    Ok(())
}

/// The keys of text that ends with a delimiter.
fn keys(text: &[u8], delimiter: u8) -> Vec<&[u8]> {
    let mut start = 0;
    memchr_iter(delimiter, text)
        .map(|end| {
            let key = &text[start..end];
            start = end + 1;
            key
        })
        .collect()
}
