//! Writes a file that means the same to both readers.

use super::check::weight_in;
use super::line::{BYTE_ORDER_MARK, Line, MAX_LINE, lines};

/// The file with all lines that can be mended without asking. The others stay as they are.
pub fn file(text: &[u8]) -> Vec<u8> {
    let mut fixed = Vec::with_capacity(text.len() + 1);
    for (index, line) in lines(text).enumerate() {
        let is_fine = line.is_read_as_meant() && line.has_newline() && !line.is_crlf();
        if is_fine && line.text.len() <= MAX_LINE || !write(&line, index == 0, &mut fixed) {
            fixed.extend_from_slice(line.text);
        }
    }
    fixed
}

/// Writes what a line means, and whether that is known.
fn write(line: &Line, is_first: bool, fixed: &mut Vec<u8>) -> bool {
    let words = line.words(is_first);
    let Some((at, name)) = words.name else {
        fixed.push(b'\n');
        return true;
    };
    let name = name.strip_prefix(BYTE_ORDER_MARK).unwrap_or(name);
    if name.starts_with(b"#") {
        comment(line.text[at..].trim_ascii(), fixed);
        return true;
    }
    let Some((_, weight)) = words.weight else {
        return false;
    };
    // C takes a sign; it means the same without.
    let weight = weight.strip_prefix(b"+").unwrap_or(weight);
    if weight_in(weight).is_none() {
        return false;
    }
    if let Some((_, rest)) = words.rest {
        comment(rest, fixed);
    }
    fixed.extend_from_slice(&[name, b"\t", weight, b"\n"].concat());
    true
}

/// Writes a comment as lines that libketama reads whole.
fn comment(text: &[u8], fixed: &mut Vec<u8>) {
    const LONGEST: usize = MAX_LINE - 3;
    if text.starts_with(b"#") && text.len() < MAX_LINE {
        fixed.extend_from_slice(text);
        fixed.push(b'\n');
        return;
    }
    let mut rest = text.strip_prefix(b"#").unwrap_or(text).trim_ascii();
    while !rest.is_empty() {
        let mut end = rest.len();
        if end > LONGEST {
            let space = rest[..LONGEST].iter().rposition(|&byte| byte == b' ');
            // No character of UTF-8 is split.
            let start = (1..=LONGEST).rev().find(|&at| rest[at] & 0xc0 != 0x80);
            end = space.filter(|&at| at > 0).or(start).unwrap_or(LONGEST);
        }
        fixed.extend_from_slice(b"# ");
        fixed.extend_from_slice(rest[..end].trim_ascii_end());
        fixed.push(b'\n');
        rest = rest[end..].trim_ascii_start();
    }
}
