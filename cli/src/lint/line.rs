//! A line as libketama reads it, and as it is meant.

use ketama::dialect::Count;
use ketama::libketama::pieces;
use ketama::{Dialect, Error, Ring, Rules, Server};

/// The longest line that libketama reads as one, with its newline.
pub const MAX_LINE: usize = 126;
/// The longest name that it accepts.
pub const MAX_NAME: usize = 23;
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub struct Line<'a> {
    /// With its newline.
    pub text: &'a [u8],
    /// What libketama reads in each piece of it.
    pub reads: Vec<Result<Option<Server>, String>>,
    /// The server that the strict reader finds there; an error's text where it refuses it.
    pub meant: Result<Option<Server>, &'static str>,
}

/// The lines of a file.
pub fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    text.split_inclusive(|&byte| byte == b'\n')
        .enumerate()
        .map(|(index, text)| Line {
            text,
            reads: pieces(text).map(|piece| piece.read).collect(),
            meant: meant(text, index == 0),
        })
}

fn meant(line: &[u8], is_first: bool) -> Result<Option<Server>, &'static str> {
    // The rules do not matter: these take every weight, and are quick.
    let rules = Rules {
        count: Count::Fixed,
        base: 1,
        ..*Dialect::Libketama.rules()
    };
    // A byte order mark is one on the first line alone.
    let line = if is_first {
        line.to_vec()
    } else {
        [b"\n", line].concat()
    };
    match Ring::from_text(&line, &rules) {
        Ok(ring) => Ok(ring.servers().first().cloned()),
        Err(Error::Syntax { expected, .. }) => Err(expected),
        // A comment, or nothing.
        Err(_) => Ok(None),
    }
}

/// The words of a line and where they begin, without what is no word: white space, and the newline.
pub struct Words<'a> {
    /// Behind a byte order mark.
    pub start: usize,
    pub name: Option<(usize, &'a [u8])>,
    pub weight: Option<(usize, &'a [u8])>,
    /// What stands behind the weight, less white space.
    pub rest: Option<(usize, &'a [u8])>,
}

impl<'a> Line<'a> {
    /// Whether libketama reads what is meant.
    pub fn is_read_as_meant(&self) -> bool {
        let read: Result<Vec<&Server>, ()> = self
            .reads
            .iter()
            .filter_map(|read| {
                read.as_ref()
                    .map_err(|_| ())
                    .map(Option::as_ref)
                    .transpose()
            })
            .collect();
        match (read, &self.meant) {
            (Ok(read), Ok(meant)) => read.into_iter().eq(meant),
            _ => false,
        }
    }

    pub fn words(&self, is_first: bool) -> Words<'a> {
        let has_mark = is_first && self.text.starts_with(BYTE_ORDER_MARK);
        let start = if has_mark { BYTE_ORDER_MARK.len() } else { 0 };
        let mut at = start;
        let mut word = || {
            let from = at + self.text[at..].iter().position(|&byte| !is_space(byte))?;
            let len = self.text[from..].iter().position(|&byte| is_space(byte));
            at = len.map_or(self.text.len(), |len| from + len);
            Some((from, &self.text[from..at]))
        };
        let (name, weight) = (word(), word());
        let rest = word().map(|(from, _)| (from, trim_end(&self.text[from..])));
        Words {
            start,
            name,
            weight,
            rest,
        }
    }

    pub fn has_newline(&self) -> bool {
        self.text.ends_with(b"\n")
    }

    pub fn is_crlf(&self) -> bool {
        self.text.ends_with(b"\r\n")
    }
}

/// C's isspace() in its own locale.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn trim_end(text: &[u8]) -> &[u8] {
    let len = text.iter().rposition(|&byte| !is_space(byte));
    &text[..len.map_or(0, |last| last + 1)]
}
