//! Finds what there is to say.

use super::line::{BYTE_ORDER_MARK, Line, MAX_LINE, MAX_NAME, lines};
use super::{Finding, Rule};
use crate::output::shown;
use ketama::{Dialect, Error, Ring, Server};
use std::collections::HashMap;

/// The original's `ip` ends within its own bytes up to this.
const SAFE_NAME: usize = 21;
/// More overflow the original's shared memory.
const MOST_SERVERS: usize = 117;
/// What a server of average weight is to have.
const POINTS: usize = 160;

/// All findings of a file, by line.
pub fn file(text: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut servers = Servers::default();
    let mut crlf = None;
    for (index, line) in lines(text).enumerate() {
        let number = index + 1;
        if line.is_crlf() {
            crlf.get_or_insert((number, line.text.len() - 1, 0)).2 += 1;
        }
        if !line.is_read_as_meant() {
            findings.push(misread(&line, number));
        } else {
            findings.extend(unwise(&line, number));
        }
        match &line.meant {
            Ok(Some(server)) => {
                let column = line.words(index == 0).name.map_or(1, |(at, _)| at + 1);
                servers.add(server, number, column, &mut findings);
            }
            Ok(None) => {}
            Err(_) => servers.is_any_unknown = true,
        }
    }
    if let Some((line, column, count)) = crlf {
        findings.push(Finding {
            rule: Rule::Crlf,
            line,
            column,
            is_misread: false,
            what: match count {
                1 => "the line ends with CRLF".into(),
                _ => format!("{count} lines end with CRLF, this one first"),
            },
            reads: "weights in spite of the carriage return, but refuses a blank line of one"
                .into(),
            fix: "end lines with LF alone".into(),
        });
    }
    servers.check(&mut findings);
    findings.sort_by_key(|finding| (finding.line, finding.column));
    findings
}

/// The finding of a line that libketama reads otherwise.
fn misread(line: &Line, number: usize) -> Finding {
    let words = line.words(number == 1);
    let text = line.text;
    let at_end = text.len() - usize::from(line.has_newline());
    let nul = text.iter().position(|&byte| byte == 0);
    let (rule, at, what, fix) = match (words.name, words.weight) {
        _ if words.start > 0 => (
            Rule::ByteOrderMark,
            0,
            "the file begins with a UTF-8 byte order mark".to_owned(),
            "save it without one",
        ),
        _ if text.len() > MAX_LINE => (
            Rule::LongLine,
            MAX_LINE,
            format!("the line has {} bytes with its newline", text.len()),
            "split it into lines of at most 126 bytes",
        ),
        (None, _) => (
            Rule::BlankLine,
            0,
            "the line is white space alone".to_owned(),
            "leave it empty",
        ),
        (Some((at, name)), _) if name.starts_with(b"#") => (
            Rule::IndentedComment,
            at,
            "a comment does not begin its line".to_owned(),
            "begin it in the first column",
        ),
        _ if nul.is_some() => (
            Rule::Nul,
            nul.unwrap_or(0),
            "a NUL byte ends the line".to_owned(),
            "remove it",
        ),
        (Some((at, name)), _) if name.starts_with(BYTE_ORDER_MARK) => (
            Rule::ByteOrderMark,
            at,
            "a UTF-8 byte order mark stands before the name".to_owned(),
            "remove it",
        ),
        (Some((at, name)), _) if name.len() > MAX_NAME => (
            Rule::LongName,
            at,
            format!("the name has {} bytes", name.len()),
            "give the server a name of at most 21 bytes, such as its address",
        ),
        (_, None) => (
            Rule::Weight,
            at_end,
            "there is no weight".to_owned(),
            "write a weight of at least 1 behind the name",
        ),
        (_, Some((at, weight))) => match weight_in(weight) {
            Some(_) if words.rest.is_some() => (
                Rule::AfterWeight,
                at + weight.len(),
                "text stands behind the weight".to_owned(),
                "put it on a line of its own, with # as the first byte",
            ),
            Some(_) if at + weight.len() < at_end => (
                Rule::AfterWeight,
                at + weight.len(),
                "white space stands behind the weight".to_owned(),
                "end the line right behind the weight",
            ),
            Some(_) if !line.has_newline() => (
                Rule::NoNewline,
                at_end,
                "the last line has no newline, so its weight loses its last digit".to_owned(),
                "end the file with a newline",
            ),
            Some(_) => (
                Rule::WhiteSpace,
                words.start,
                "other white space than tabs and spaces separates nothing".to_owned(),
                "separate name and weight by a tab",
            ),
            None => (
                Rule::Weight,
                at,
                format!("the weight is {}", shown(weight)),
                "write a weight from 1 to 9223372036854775807, in decimal digits",
            ),
        },
    };
    Finding {
        rule,
        line: number,
        column: at + 1,
        is_misread: true,
        what,
        reads: reading(line),
        fix: fix.to_owned(),
    }
}

/// A weight that both readers take.
pub fn weight_in(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok()?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .parse()
        .ok()
        .filter(|weight| is_number && (1..=i64::MAX as u64).contains(weight))
}

/// What libketama makes of a line, in words.
fn reading(line: &Line) -> String {
    if let Some(reason) = line.reads.iter().find_map(|read| read.as_ref().err()) {
        return format!("no ring: it refuses the whole file ({reason})");
    }
    let servers = line
        .reads
        .iter()
        .filter_map(|read| read.as_ref().ok()?.as_ref());
    let servers: Vec<String> = servers
        .map(|server| format!("{} with weight {}", shown(&server.name), server.weight))
        .collect();
    if servers.is_empty() {
        "nothing".to_owned()
    } else {
        servers.join(", and ")
    }
}

/// What is read as it is meant, but better said otherwise.
fn unwise(line: &Line, number: usize) -> Option<Finding> {
    let finding = |rule, at: usize, what, reads: &str, fix: &str| {
        Some(Finding {
            rule,
            line: number,
            column: at + 1,
            is_misread: false,
            what,
            reads: reads.to_owned(),
            fix: fix.to_owned(),
        })
    };
    if line.text.len() > MAX_LINE {
        let what = format!("the line has {} bytes with its newline", line.text.len());
        let reads =
            "several lines, of which only the first is a comment; the others are blank by luck";
        return finding(
            Rule::LongLine,
            MAX_LINE,
            what,
            reads,
            "split it into lines of at most 126 bytes",
        );
    }
    if !line.has_newline() {
        let what = "the last line has no newline".to_owned();
        let fix = "end the file with a newline: a line that is appended would join it";
        return finding(
            Rule::NoNewline,
            line.text.len(),
            what,
            "it as it is meant",
            fix,
        );
    }
    let (at, name) = line
        .words(number == 1)
        .name
        .filter(|_| matches!(line.meant, Ok(Some(_))))?;
    if name.len() > SAFE_NAME {
        let what = format!("the name has {} bytes", name.len());
        let reads =
            "it whole, but hands out its first 22 bytes, in the original without a NUL behind them";
        let fix = "give the server a name of at most 21 bytes, such as its address";
        return finding(Rule::LongName, at, what, reads, fix);
    }
    None
}

/// What is meant, as a whole.
#[derive(Default)]
struct Servers {
    servers: Vec<Server>,
    /// Their lines and columns.
    places: Vec<(usize, usize)>,
    first_lines: HashMap<Box<[u8]>, usize>,
    is_any_unknown: bool,
}

impl Servers {
    fn add(&mut self, server: &Server, line: usize, column: usize, findings: &mut Vec<Finding>) {
        if let Some(first) = self.first_lines.get(&server.name) {
            findings.push(Finding {
                rule: Rule::Duplicate,
                line,
                column,
                is_misread: false,
                what: format!("{} is on line {first} already", shown(&server.name)),
                reads: "another server, whose points the first has already".into(),
                fix: "remove this line, and give the first the weight that both are to have".into(),
            });
        } else {
            self.first_lines.insert(server.name.clone(), line);
        }
        self.servers.push(server.clone());
        self.places.push((line, column));
    }

    fn check(&self, findings: &mut Vec<Finding>) {
        let mut say = |(line, column), rule, is_misread, what, reads: String, fix: String| {
            findings.push(Finding {
                rule,
                line,
                column,
                is_misread,
                what,
                reads,
                fix,
            });
        };
        let count = self.servers.len();
        if count > MOST_SERVERS {
            say(
                self.places[MOST_SERVERS],
                Rule::TooMany,
                false,
                format!("there are {count} servers"),
                "more than its shared memory has room for: the original crashes".into(),
                "use no more than 117 servers, or this project's libketama.so.1".into(),
            );
        }
        if self.is_any_unknown {
            return;
        }
        let ring = match Ring::new(&self.servers) {
            Ok(ring) => ring,
            Err(Error::NoServers) => {
                return say(
                    (1, 1),
                    Rule::NoServers,
                    true,
                    "there is no server in the file".into(),
                    "no ring: it refuses the whole file".into(),
                    "add a line for each server: its name, a tab, its weight".into(),
                );
            }
            Err(Error::WeightSum { server }) => {
                return say(
                    self.places[server],
                    Rule::WeightSum,
                    true,
                    "the sum of the weights reaches 2^64 here".into(),
                    "weights whose sum wraps: it crashes, or gives a ring by accident".into(),
                    "divide all weights by the same number".into(),
                );
            }
            // A weight of 0, which its line has a finding for.
            Err(_) => return,
        };
        let mut points = vec![0; count];
        ring.points()
            .for_each(|point| points[point.server as usize] += 1);
        let total: u64 = self.servers.iter().map(|server| server.weight).sum();
        for (server, _) in points
            .iter()
            .enumerate()
            .filter(|&(_, &points)| points == 0)
        {
            let others = total - self.servers[server].weight;
            let enough =
                others.div_ceil(u64::from(Dialect::Libketama.rules().base) * count as u64 - 1);
            say(
                self.places[server],
                Rule::NoPoints,
                false,
                format!(
                    "{} gets no points, so no key goes to it",
                    shown(&self.servers[server].name)
                ),
                format!("weight {} of {total} in all", self.servers[server].weight),
                format!("raise its weight to {enough} or more, or remove the line"),
            );
        }
        let is_equal = self
            .servers
            .iter()
            .all(|server| server.weight == self.servers[0].weight);
        if is_equal && points[0] != POINTS {
            say(
                self.places[0],
                Rule::UnevenPoints,
                false,
                format!("{count} servers of equal weight do not get {POINTS} points each"),
                format!("{} points each, for rounding in single precision", points[0]),
                "none is needed if all clients are libketama's; others may give 160, and another ring".into(),
            );
        }
    }
}
