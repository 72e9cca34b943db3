//! The server definition file, told plainly: as libketama reads it, and strictly.

use std::ffi::CString;

pub type Servers = Vec<(Vec<u8>, u64)>;

/// A line and a column.
pub type Place = (usize, usize);

/// What libketama makes of a file: its servers, each with the number of its line, or the number of
/// the first bad line.
pub fn libketama(file: &[u8]) -> Result<Vec<(Vec<u8>, u64, usize)>, usize> {
    let mut servers = Vec::new();
    for (line, number) in fgets(file).into_iter().zip(1..) {
        // A line is a C string.
        let text = line.split(|&byte| byte == 0).next().unwrap();
        if text.len() < 2 || text[0] == b'#' {
            continue;
        }
        let words: Vec<&[u8]> = text
            .split(|&byte| byte == b' ' || byte == b'\t')
            .filter(|word| !word.is_empty())
            .collect();
        let &[name, weight, ..] = &words[..] else {
            return Err(number);
        };
        let (_, weight) = weight.split_last().unwrap();
        match strtol(weight) {
            Some(weight) if weight != 0 && name.len() <= 23 => {
                servers.push((name.to_vec(), weight as u64, number));
            }
            _ => return Err(number),
        }
    }
    Ok(servers)
}

/// C's fgets() with room for 127 bytes.
fn fgets(mut file: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    while !file.is_empty() {
        let mut len = 0;
        while len < file.len() && len < 126 && (len == 0 || file[len - 1] != b'\n') {
            len += 1;
        }
        lines.push(&file[..len]);
        file = &file[len..];
    }
    lines
}

/// The C library's own, which is what the original calls; `None` without digits, or out of range.
fn strtol(text: &[u8]) -> Option<i64> {
    let text = CString::new(text).unwrap();
    let mut end = std::ptr::null_mut();
    // SAFETY: a string ended by a NUL; `errno` is this thread's.
    unsafe {
        *libc::__errno_location() = 0;
        let number = libc::strtol(text.as_ptr(), &mut end, 10);
        let is_number = end.cast_const() != text.as_ptr() && *libc::__errno_location() == 0;
        is_number.then_some(number)
    }
}

/// What the strict reader makes of a file: its servers, or the line and column of what is wrong.
/// Beside the servers, the line and column of each one's weight.
pub fn strict(file: &[u8]) -> Result<(Servers, Vec<Place>), Place> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let (mut servers, mut weights) = (Vec::new(), Vec::new());
    for (line, number) in file.split(|&byte| byte == b'\n').zip(1..) {
        let is_space = |at: usize| b" \t\r\x0b\x0c".contains(&line[at]);
        let text = if number == 1 && line.starts_with(MARK) {
            MARK.len()
        } else {
            0
        };
        // Where words begin and end, up to a comment.
        let begins = |&at: &usize| !is_space(at) && (at == text || is_space(at - 1));
        let words: Vec<(usize, &[u8])> = (text..line.len())
            .filter(begins)
            .take_while(|&at| line[at] != b'#')
            .map(|at| {
                let end = (at..line.len()).find(|&end| is_space(end));
                (at, &line[at..end.unwrap_or(line.len())])
            })
            .collect();
        let wrong = |at| Err((number, at + 1));
        let Some(&(at, name)) = words.first() else {
            continue;
        };
        if name.len() > 1023 || name.contains(&0) || name.starts_with(MARK) {
            return wrong(at);
        }
        let Some(&(at, weight)) = words.get(1) else {
            // Where the weight, or a comment in its place, would begin or the line ends.
            let after = at + name.len();
            return wrong(
                (after..line.len())
                    .find(|&at| !is_space(at))
                    .unwrap_or(line.len()),
            );
        };
        let mut digits = weight.iter().map(|&byte| char::from(byte).to_digit(10));
        let number_of = digits.try_fold(0u64, |sum, digit| {
            sum.checked_mul(10)?.checked_add(digit?.into())
        });
        let Some(number_of) = number_of else {
            return wrong(at);
        };
        if let Some(&(at, _)) = words.get(2) {
            return wrong(at);
        }
        servers.push((name.to_vec(), number_of));
        weights.push((number, at + 1));
    }
    Ok((servers, weights))
}
