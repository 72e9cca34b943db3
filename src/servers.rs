//! The server definition file, as libketama reads it.
//!
//! The original reads pieces of at most 126 bytes with `fgets` and splits each with `strtok`; its
//! weight is the second token less its last byte, whatever that is. Every quirk below decides which
//! servers a file that is in use today defines, so all of them stay.
#![forbid(unsafe_code)]

use crate::ring::Server;
use std::fmt;
use std::io::{self, BufRead, Read};

/// The longest name that the original accepts, in bytes.
const MAX_NAME: usize = 23;
/// What `fgets` takes at once: a longer line is read as several.
const MAX_LINE: u64 = 126;

/// Why a file defines no list of servers.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Nothing but comments and blank lines.
    NoServers,
    Line {
        number: u64,
        reason: Reason,
    },
}

#[derive(Debug)]
pub(crate) enum Reason {
    NoName,
    LongName,
    NoWeight,
    NotANumber,
    OutOfRange,
    ZeroWeight,
    Unreadable(io::Error),
    OutOfMemory,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NoName => write!(f, "No server name"),
            Reason::LongName => write!(f, "Server name longer than {MAX_NAME} bytes"),
            Reason::NoWeight => write!(f, "No weight after the server name"),
            Reason::NotANumber => write!(f, "Weight is not a number"),
            Reason::OutOfRange => write!(f, "Weight is out of range"),
            Reason::ZeroWeight => write!(f, "Weight is 0"),
            Reason::OutOfMemory => write!(f, "Not enough memory"),
            Reason::Unreadable(error) => write!(f, "Cannot read: {error}"),
        }
    }
}

/// A file's servers, each with the number of the line that defines it.
pub(crate) struct Definitions {
    pub(crate) servers: Vec<Server>,
    pub(crate) lines: Vec<u64>,
}

/// Reads definitions to the end. One bad line refuses the whole file.
pub(crate) fn read(mut file: impl BufRead) -> Result<Definitions, Refusal> {
    let mut servers = Vec::new();
    let mut lines = Vec::new();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = file.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        match read
            .map_err(Reason::Unreadable)
            .and_then(|_| parse_line(&line))
        {
            Ok(Some(server)) => {
                let reserved = servers.try_reserve(1).and_then(|()| lines.try_reserve(1));
                if reserved.is_err() {
                    return Err(Refusal::Line {
                        number,
                        reason: Reason::OutOfMemory,
                    });
                }
                servers.push(server);
                lines.push(number);
            }
            Ok(None) if line.is_empty() => break,
            Ok(None) => {}
            Err(reason) => return Err(Refusal::Line { number, reason }),
        }
    }
    if servers.is_empty() {
        return Err(Refusal::NoServers);
    }
    Ok(Definitions { servers, lines })
}

/// One piece of a file; `None` where there is nothing to define.
fn parse_line(line: &[u8]) -> Result<Option<Server>, Reason> {
    let text = line.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.len() < 2 || text[0] == b'#' {
        return Ok(None);
    }
    let mut tokens = text
        .split(|byte| matches!(byte, b'\t' | b' '))
        .filter(|token| !token.is_empty());
    let name = tokens.next().ok_or(Reason::NoName)?;
    if name.len() > MAX_NAME {
        return Err(Reason::LongName);
    }
    let token = tokens.next().ok_or(Reason::NoWeight)?;
    let weight = parse_weight(&token[..token.len() - 1])?;
    if weight == 0 {
        return Err(Reason::ZeroWeight);
    }
    Ok(Some(Server {
        name: name.into(),
        weight,
    }))
}

/// C's `strtol(text, …, 10)` assigned to an `unsigned long`: digits after optional white space and
/// a sign, then anything; a negative number wraps.
fn parse_weight(text: &[u8]) -> Result<u64, Reason> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let text = &text[text.iter().take_while(|byte| is_space(byte)).count()..];
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let digits = &digits[..digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()];
    if digits.is_empty() {
        return Err(Reason::NotANumber);
    }
    digits
        .iter()
        .try_fold(0i64, |value, digit| {
            let digit = i64::from(digit - b'0');
            let value = value.checked_mul(10)?;
            // Down, not up, for a negative number: -2^63 has no positive counterpart.
            if negative {
                value.checked_sub(digit)
            } else {
                value.checked_add(digit)
            }
        })
        .map(|value| value as u64)
        .ok_or(Reason::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(text: &str) -> Option<u64> {
        parse_weight(text.as_bytes()).ok()
    }

    #[test]
    fn weights_are_read_as_strtol_reads_them() {
        assert_eq!(weight("12"), Some(12));
        assert_eq!(weight("\u{b}\u{c}\r +7x"), Some(7));
        assert_eq!(weight("010"), Some(10));
        assert_eq!(weight("1.5"), Some(1));
        assert_eq!(weight("0x10"), Some(0));
        assert_eq!(weight("-5"), Some(5u64.wrapping_neg()));
        assert_eq!(weight("9223372036854775807"), Some(i64::MAX as u64));
        assert_eq!(weight("9223372036854775808"), None);
        assert_eq!(weight("-9223372036854775808"), Some(1 << 63));
        assert_eq!(weight("-9223372036854775809"), None);
        for text in ["", "+", "-", "+-1", "- 1", "x1", "'"] {
            assert_eq!(weight(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_read_error_refuses_the_file_at_its_line() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::IsADirectory.into())
            }
        }
        let file = io::BufReader::new(b"a\t10\n".chain(Failing));
        let refusal = read(file).err();
        assert!(
            matches!(
                refusal,
                Some(Refusal::Line {
                    number: 2,
                    reason: Reason::Unreadable(_)
                })
            ),
            "{refusal:?}"
        );
    }
}
