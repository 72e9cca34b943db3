//! Answers as a table, as JSON or as CSV.

use crate::failure::Failure;
use anstyle::{AnsiColor, Style};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;
use serde_json::{Map, Value};
use std::io::{self, BufWriter, Write};
use unicode_width::UnicodeWidthStr;

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// One document, or for get and watch an object a line
    Json,
    /// With a header
    Csv,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const GOOD: Style = AnsiColor::Green.on_default();
pub const BAD: Style = AnsiColor::Red.on_default();
pub const NOTE: Style = AnsiColor::Yellow.on_default();

/// How answers are written, and where.
#[derive(Clone, Copy)]
pub struct Output {
    pub format: Format,
    is_coloured: bool,
}

impl Output {
    pub fn new(format: Format, color: ColorChoice) -> Output {
        let is_coloured = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            // It knows of NO_COLOR and of dumb terminals.
            ColorChoice::Auto => {
                anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
            }
        };
        Output {
            format,
            is_coloured,
        }
    }

    /// Text in a style, where colours are wanted.
    pub fn paint(self, style: Style, text: &str) -> String {
        if self.is_coloured {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    pub fn text(self, text: &str) -> Result<(), Failure> {
        let mut out = stdout();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    pub fn json(self, value: &Value) -> Result<(), Failure> {
        let mut out = stdout();
        serde_json::to_writer_pretty(&mut out, value)?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }

    /// Rows of bytes, the first of them the header.
    pub fn csv<R, F>(self, header: &[&str], rows: R) -> Result<(), Failure>
    where
        R: IntoIterator<Item = F>,
        F: IntoIterator<Item = Vec<u8>>,
    {
        let mut writer = csv::Writer::from_writer(stdout());
        writer.write_record(header)?;
        for row in rows {
            writer.write_record(row)?;
        }
        Ok(writer.flush()?)
    }
}

/// Not `std::io::Stdout`, which is flushed with every line.
pub fn stdout() -> impl Write {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// Says on stderr what is wrong, in one line.
pub fn complain(text: &str) {
    // Where stderr is closed, nobody wants to know.
    let _ = writeln!(io::stderr(), "ketama: {text}");
}

/// Text that may be no UTF-8, as the field of an object: in base64 under another name if it is none.
pub fn put_text(object: &mut Map<String, Value>, field: &str, text: &[u8]) {
    match std::str::from_utf8(text) {
        Ok(text) => object.insert(field.to_owned(), text.into()),
        Err(_) => object.insert(format!("{field}_base64"), STANDARD.encode(text).into()),
    };
}

/// The same as JSON text, without braces.
pub fn json_field(field: &str, text: &[u8]) -> String {
    let mut object = Map::new();
    put_text(&mut object, field, text);
    let object = Value::from(object).to_string();
    object[1..object.len() - 1].to_owned()
}

/// Names for people's eyes: no control characters, which a terminal would obey.
pub fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    if !text.contains(char::is_control) {
        return text.into_owned();
    }
    let escape = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(escape).collect()
}

/// A share in percent.
pub fn percent(share: f64) -> String {
    format!("{:.2}%", 100.0 * share)
}

/// A whole number with its thousands apart.
pub fn thousands(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub fn plural(count: usize, one: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {one}{ending}", thousands(count as u64))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// A cell's text and style.
pub type Cell = (String, Style);

pub fn plain(text: impl Into<String>) -> Cell {
    (text.into(), Style::new())
}

/// Rows in columns as wide as they must be.
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(columns: &[(&'static str, Align)]) -> Table {
        Table {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    pub fn column(&mut self, name: &'static str, align: Align) {
        self.columns.push((name, align));
    }

    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    pub fn render(&self, output: Output) -> String {
        let header = self
            .columns
            .iter()
            .map(|&(name, _)| (name.to_owned(), BOLD));
        let lines: Vec<Vec<Cell>> = [header.collect()]
            .into_iter()
            .chain(self.rows.clone())
            .collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = lines.iter().filter_map(|line| line.get(column));
                cells.map(|(text, _)| text.width()).max().unwrap_or(0)
            })
            .collect();
        let mut table = String::new();
        for line in lines {
            let mut pending = 0;
            for (column, (text, style)) in line.into_iter().enumerate() {
                let space = widths[column] - text.width();
                let (before, after) = match self.columns[column].1 {
                    Align::Left => (0, space),
                    Align::Right => (space, 0),
                };
                if !text.is_empty() {
                    table.push_str(&" ".repeat(pending + before));
                    table.push_str(&output.paint(style, &text));
                    pending = 0;
                } else {
                    pending += before;
                }
                // What would end a line is not written.
                pending += after + 2;
            }
            table.push('\n');
        }
        table
    }
}
