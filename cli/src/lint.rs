//! What libketama reads otherwise than a person means.

mod check;
mod fix;
mod line;

use crate::args::Lint;
use crate::failure::{Failure, Status};
use crate::output::{BAD, BOLD, DIM, Format, NOTE, Output, complain, plural, shown, stdout};
use crate::servers::read_file;
use clap::ValueEnum;
use serde_json::{Value, json};
use std::fs::{self, File, Metadata, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// What there may be to say of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rule {
    /// The last line has no newline, and loses its last digit
    NoNewline,
    /// Text, a comment or white space behind the weight, which loses its last digit
    AfterWeight,
    /// Lines that end with CRLF
    Crlf,
    /// A comment that does not begin its line
    IndentedComment,
    /// A line of nothing but white space
    BlankLine,
    /// A line of more than 126 bytes, which is read as several
    LongLine,
    /// A name of more than 21 bytes
    LongName,
    /// A UTF-8 byte order mark, which becomes part of the first name
    ByteOrderMark,
    /// A NUL byte, which ends its line
    Nul,
    /// White space other than tabs and spaces, which separates nothing
    WhiteSpace,
    /// A weight that is missing, 0, too large or no decimal number
    Weight,
    /// Weights whose sum exceeds 64 bits
    WeightSum,
    /// No server at all
    NoServers,
    /// A server that is listed twice, and counts twice
    Duplicate,
    /// A server whose weight is too small for any point
    NoPoints,
    /// A number of equal servers that gives them fewer points than others
    UnevenPoints,
    /// More than 117 servers, with which the original crashes
    TooMany,
}

impl Rule {
    pub fn name(self) -> String {
        let value = self.to_possible_value().expect("no rule is hidden");
        value.get_name().to_owned()
    }
}

pub struct Finding {
    pub rule: Rule,
    /// Both count from 1, the column in bytes.
    pub line: usize,
    pub column: usize,
    /// Whether libketama makes another ring of the file than was meant, or none.
    pub is_misread: bool,
    pub what: String,
    /// What libketama reads there.
    pub reads: String,
    pub fix: String,
}

pub fn run(args: &Lint, output: Output) -> Result<Status, Failure> {
    let text = read_file(&args.file)?;
    let name = shown(args.file.as_os_str().as_bytes());
    if args.fix {
        return fix(args, &name, &text, output);
    }
    let findings = findings(&text, args);
    match output.format {
        Format::Table => output.text(&table(&name, &findings, output))?,
        Format::Json => output.json(&json!({"file": name, "findings": json(&findings)}))?,
        Format::Csv => output.csv(HEADER, findings.iter().map(row))?,
    }
    Ok(Status::bad_news_if(!findings.is_empty()))
}

fn findings(text: &[u8], args: &Lint) -> Vec<Finding> {
    let mut findings = check::file(text);
    findings.retain(|finding| finding.is_misread || !args.allow.contains(&finding.rule));
    findings
}

/// Writes the file so that both readers mean the same, and says what a person must settle.
fn fix(args: &Lint, name: &str, text: &[u8], output: Output) -> Result<Status, Failure> {
    let fixed = fix::file(text);
    let before = check::file(text).len();
    let left = findings(&fixed, args);
    let target = args.output.as_deref().unwrap_or(&args.file);
    if target == Path::new("-") {
        let mut out = stdout();
        out.write_all(&fixed)?;
        out.flush()?;
        left.iter()
            .for_each(|finding| complain(&line(name, finding)));
        return Ok(Status::bad_news_if(!left.is_empty()));
    }
    if args.output.is_some() || fixed != text {
        replace(target, &fixed)?;
    }
    let mended = before.saturating_sub(check::file(&fixed).len());
    let target = shown(target.as_os_str().as_bytes());
    match output.format {
        Format::Table => {
            let mended = format!(
                "{target}: {} mended, {} left\n",
                plural(mended, "finding"),
                left.len()
            );
            let text = if left.is_empty() {
                mended
            } else {
                mended + "\n" + &table(&target, &left, output)
            };
            output.text(&text)?;
        }
        Format::Json => {
            output.json(&json!({"file": target, "mended": mended, "findings": json(&left)}))?
        }
        Format::Csv => output.csv(HEADER, left.iter().map(row))?,
    }
    Ok(Status::bad_news_if(!left.is_empty()))
}

/// Puts a whole file in another's place at once: who rolls it meanwhile reads the one or the other.
fn replace(target: &Path, text: &[u8]) -> Result<(), Failure> {
    // A link stays one.
    let is_dangling = target.is_symlink() && !target.exists();
    let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
    let old = fs::metadata(&target).ok();
    let is_alone = |old: &Metadata| old.is_file() && old.nlink() == 1;
    let written = if is_dangling || old.as_ref().is_some_and(|old| !is_alone(old)) {
        // A device, a pipe, or a file of several names: nothing takes its place.
        fs::write(&target, text)
    } else {
        let mut beside = target.clone().into_os_string();
        beside.push(format!(".{}.new", std::process::id()));
        let beside = PathBuf::from(beside);
        let mut new = File::options();
        new.write(true).create_new(true);
        if old.is_some() {
            // Until it is its owner's.
            new.mode(0o600);
        }
        let written = new.open(&beside).and_then(|mut new| {
            new.write_all(text)?;
            if let Some(old) = old {
                chown(&beside, Some(old.uid()), Some(old.gid()))?;
                let mode = old.permissions().mode() & 0o777;
                new.set_permissions(Permissions::from_mode(mode))?;
            }
            fs::rename(&beside, &target)
        });
        if written.is_err() {
            // It may never have been there.
            let _ = fs::remove_file(&beside);
        }
        written
    };
    written.map_err(|error| {
        let name = shown(target.as_os_str().as_bytes());
        Failure::new(format!(
            "{name}: cannot write it: {error}; choose another file with --output"
        ))
    })
}

fn table(name: &str, findings: &[Finding], output: Output) -> String {
    if findings.is_empty() {
        return format!("{name}: libketama reads it as it is meant\n");
    }
    let mut text = String::new();
    for finding in findings {
        let style = if finding.is_misread { BAD } else { NOTE };
        let place = format!("{name}:{}:{}:", finding.line, finding.column);
        let rule = output.paint(style, &finding.rule.name());
        text += &format!("{} {rule}: {}\n", output.paint(BOLD, &place), finding.what);
        text += &format!(
            "    {} {}\n",
            output.paint(DIM, "libketama reads:"),
            finding.reads
        );
        text += &format!("    {} {}\n", output.paint(DIM, "to mend it:"), finding.fix);
    }
    let misread = findings.iter().filter(|finding| finding.is_misread).count();
    text + &format!(
        "\n{}, {misread} of them misread\n",
        plural(findings.len(), "finding")
    )
}

fn line(name: &str, finding: &Finding) -> String {
    let Finding {
        line,
        column,
        what,
        reads,
        fix,
        ..
    } = finding;
    format!(
        "{name}:{line}:{column}: {}: {what}; libketama reads: {reads}; {fix}",
        finding.rule.name()
    )
}

fn json(findings: &[Finding]) -> Value {
    let findings = findings.iter().map(|finding| {
        json!({
            "rule": finding.rule.name(),
            "line": finding.line,
            "column": finding.column,
            "is_misread": finding.is_misread,
            "what": finding.what,
            "libketama_reads": finding.reads,
            "fix": finding.fix,
        })
    });
    findings.collect()
}

const HEADER: &[&str] = &[
    "rule",
    "line",
    "column",
    "is_misread",
    "what",
    "libketama_reads",
    "fix",
];

fn row(finding: &Finding) -> Vec<Vec<u8>> {
    let Finding {
        line,
        column,
        is_misread,
        what,
        reads,
        fix,
        ..
    } = finding;
    let cells = [
        finding.rule.name(),
        line.to_string(),
        column.to_string(),
        is_misread.to_string(),
        what.clone(),
        reads.clone(),
        fix.clone(),
    ];
    cells.map(String::into_bytes).into()
}
