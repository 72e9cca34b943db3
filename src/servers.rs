//! The server definition file: as libketama reads it, and strictly.
//!
//! The original reads pieces of at most 126 bytes with `fgets` and splits each with `strtok`; its
//! weight is the second token less its last byte, whatever that is. Every quirk below decides which
//! servers a file that is in use today defines, so all of them stay in [`read`]; [`read_strictly`]
//! has none.
#![forbid(unsafe_code)]

use crate::error::{Error, try_collect};
use crate::ring::Server;
use std::fmt;
use std::io::{self, BufRead, Read};

/// The longest name that the original accepts, in bytes.
const MAX_NAME: usize = 23;
/// What `fgets` takes at once: a longer line is read as several.
const MAX_LINE: u64 = 126;

/// Why a file defines no list of servers.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    /// Nothing but comments and blank lines.
    NoServers,
    Line {
        number: u64,
        reason: Reason,
    },
}

#[derive(Debug, PartialEq)]
pub(crate) enum Reason {
    NoName,
    LongName,
    NoWeight,
    NotANumber,
    OutOfRange,
    ZeroWeight,
    /// With the system's error number.
    Unreadable(i32),
    Changing,
    OutOfMemory,
    /// These servers make no ring.
    Ring(Error),
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
            Reason::Changing => write!(f, "File changes while it is read"),
            Reason::OutOfMemory => write!(f, "Not enough memory"),
            Reason::Ring(error) => write!(f, "{error}"),
            Reason::Unreadable(errno) => {
                write!(f, "Cannot read: {}", io::Error::from_raw_os_error(*errno))
            }
        }
    }
}

/// A file's servers, each with the number of the line that defines it.
#[derive(PartialEq)]
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
            .map_err(|error| Reason::Unreadable(error.raw_os_error().unwrap_or_default()))
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

/// What libketama takes at once of a file, and what it reads in that.
pub struct Piece<'a> {
    pub text: &'a [u8],
    /// The server; `None` where there is nothing to define; or why the whole file is refused.
    pub read: Result<Option<Server>, String>,
}

/// The pieces of a file as libketama reads them, one behind the other. It stops at the first that
/// it refuses; this does not.
pub fn pieces(mut text: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let longest = &text[..text.len().min(MAX_LINE as usize)];
        let newline = longest.iter().position(|&byte| byte == b'\n');
        let (piece, rest) = text.split_at(newline.map_or(longest.len(), |at| at + 1));
        text = rest;
        (!piece.is_empty()).then(|| Piece {
            text: piece,
            read: parse_line(piece).map_err(|reason| reason.to_string()),
        })
    })
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
    let name = try_collect(name.iter().copied()).map_err(|_| Reason::OutOfMemory)?;
    Ok(Some(Server { name, weight }))
}

/// C's `strtol(text, …, 10)` assigned to an `unsigned long`: digits after optional white space and
/// a sign, then anything; a negative number wraps.
fn parse_weight(text: &[u8]) -> Result<u64, Reason> {
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

/// A strict reader of the same files, without the quirks: a line a server, its name and its weight,
/// with any white space around them; a `#` at the beginning of a word makes the rest of the line a
/// comment.
pub(crate) fn read_strictly(text: &[u8]) -> Result<Vec<Definition>, Error> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let mut definitions = Vec::new();
    for (index, whole) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = match index {
            0 => whole.strip_prefix(BYTE_ORDER_MARK).unwrap_or(whole),
            _ => whole,
        };
        let start = whole.len() - line.len();
        let syntax = |at: usize, expected| Error::Syntax {
            line: index + 1,
            column: start + at + 1,
            expected,
        };
        let mut tokens = Tokens { line, at: 0 };
        let Some((at, name)) = tokens.next() else {
            continue;
        };
        if name.contains(&0) {
            return Err(syntax(at, "a name without a NUL byte"));
        }
        // Such as a file that was appended to another.
        if name.starts_with(BYTE_ORDER_MARK) {
            return Err(syntax(at, "a name without a byte order mark"));
        }
        if name.len() > Server::MAX_NAME {
            return Err(syntax(at, "a name of at most 1023 bytes"));
        }
        let (weight_at, weight) = tokens.next().ok_or(syntax(tokens.at, "a weight"))?;
        let weight = std::str::from_utf8(weight)
            .ok()
            .filter(|weight| weight.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|weight| weight.parse().ok())
            .ok_or(syntax(
                weight_at,
                "a weight, in decimal digits and below 2^64",
            ))?;
        if let Some((at, _)) = tokens.next() {
            return Err(syntax(at, "the end of the line or a comment"));
        }
        definitions.try_reserve(1)?;
        definitions.push(Definition {
            server: Server {
                name: try_collect(name.iter().copied())?,
                weight,
            },
            zero_weight: syntax(weight_at, "a weight of at least 1"),
        });
    }
    Ok(definitions)
}

/// A server of a file that was read strictly.
#[derive(PartialEq)]
pub(crate) struct Definition {
    pub(crate) server: Server,
    /// What is to be said where the rules refuse its weight of 0.
    pub(crate) zero_weight: Error,
}

/// The words of a line up to a comment, each with where it begins.
struct Tokens<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<(usize, &'a [u8])> {
        let rest = &self.line[self.at..];
        let start = self.at + rest.iter().take_while(|byte| is_space(byte)).count();
        let rest = &self.line[start..];
        let token = &rest[..rest.iter().take_while(|byte| !is_space(byte)).count()];
        if token.is_empty() || token[0] == b'#' {
            self.at = start;
            return None;
        }
        self.at = start + token.len();
        Some((start, token))
    }
}

/// C's isspace() in its own locale.
fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
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
    fn the_strict_reader_has_no_quirks() {
        let text = b"\xef\xbb\xbf# servers\r\n\r\n \x0b a:1\t \x0c18446744073709551615 # most\r\n\t# no\nb#2 010\nc 7";
        let definitions = read_strictly(text).unwrap();
        let servers: Vec<(&[u8], u64)> = definitions
            .iter()
            .map(|definition| (&*definition.server.name, definition.server.weight))
            .collect();
        assert_eq!(servers, [(&b"a:1"[..], u64::MAX), (b"b#2", 10), (b"c", 7)]);
        assert!(read_strictly(b"\n \n#\n").unwrap().is_empty());
    }

    #[test]
    fn the_strict_reader_says_what_it_expected_and_where() {
        let error = |text: &[u8]| read_strictly(text).err().unwrap().to_string();
        assert_eq!(error(b"a 1\n bc"), "line 2, column 4: expected a weight");
        assert_eq!(error(b"a # 1"), "line 1, column 3: expected a weight");
        for weight in [
            "x",
            "-1",
            "+1",
            "1x",
            "1.5",
            "18446744073709551616",
            "\u{660}",
        ] {
            assert_eq!(
                error(format!("\u{feff}a {weight}").as_bytes()),
                "line 1, column 6: expected a weight, in decimal digits and below 2^64"
            );
        }
        assert_eq!(
            error(b"a 1 b"),
            "line 1, column 5: expected the end of the line or a comment"
        );
        assert_eq!(
            error(b"a\0b 1"),
            "line 1, column 1: expected a name without a NUL byte"
        );
        assert_eq!(
            error("a 1\n\u{feff}b 1".as_bytes()),
            "line 2, column 1: expected a name without a byte order mark"
        );
        let long = [&[b'x'; 1024][..], b" 1"].concat();
        assert_eq!(
            error(&long),
            "line 1, column 1: expected a name of at most 1023 bytes"
        );
        assert!(read_strictly(&long[1..]).is_ok());
    }

    #[test]
    fn pieces_are_what_a_whole_file_is_read_from() {
        let text = [b"#\na 10\n", &[b'#'; 125][..], b"# 57\nb 2 \n\n c 3"].concat();
        let pieces: Vec<Piece> = pieces(&text).collect();
        let texts: Vec<&[u8]> = pieces.iter().map(|piece| piece.text).collect();
        assert_eq!(texts.concat(), text);
        assert_eq!(
            (texts.len(), texts[2].len(), texts[3]),
            (7, 126, &b" 57\n"[..])
        );
        assert_eq!(
            pieces[3].read,
            Err("No weight after the server name".into())
        );
        let server = |name: &[u8], weight| {
            Ok(Some(Server {
                name: name.into(),
                weight,
            }))
        };
        assert_eq!(pieces[1].read, server(b"a", 10));
        assert_eq!(pieces[4].read, Err("Weight is not a number".into()));
        assert_eq!(pieces[5].read, Ok(None));
        assert_eq!(pieces[6].read, Err("Weight is not a number".into()));
        let good: Vec<u8> = [texts[0], texts[1], texts[2]].concat();
        let servers = read(&good[..]).ok().unwrap().servers;
        assert_eq!(servers, [pieces[1].read.clone().unwrap().unwrap()]);
    }

    #[test]
    fn a_read_error_refuses_the_file_at_its_line() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from_raw_os_error(libc::EISDIR))
            }
        }
        let file = io::BufReader::new(b"a\t10\n".chain(Failing));
        let expected = Refusal::Line {
            number: 2,
            reason: Reason::Unreadable(libc::EISDIR),
        };
        assert_eq!(read(file).err(), Some(expected));
    }
}
