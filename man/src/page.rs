//! Manual pages in the man(7) macros.

use crate::header::{Header, Item, Kind, Part, last_name};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The columns that a line of text may fill.
const WIDTH: usize = 78;

pub struct Manual<'a> {
    pub header: Header,
    pub version: &'a str,
    pub date: &'a str,
}

impl Manual<'_> {
    /// The page of a function.
    pub fn function(&self, item: &Item) -> String {
        let mut page = self.begin(&item.name, &summary(&item.text));
        page += &synopsis(item);

        let names: Vec<&str> = item.parameters().into_iter().map(last_name).collect();
        let paragraphs = paragraphs(&item.text);
        // One that says nothing but what it returns has that as its description.
        let split = match paragraphs.iter().skip(1).position(|p| p.is("Returns ")) {
            Some(index) => index + 1,
            None => paragraphs.len(),
        };
        let (described, returned) = paragraphs.split_at(split);
        page += ".SH DESCRIPTION\n";
        self.write(&mut page, described, &names);
        if !returned.is_empty() {
            page += ".SH RETURN VALUE\n";
            self.write(&mut page, returned, &names);
        }

        let mut see = BTreeSet::from(["ketama"]);
        let text = item.text.join(" ");
        see.extend(
            self.functions()
                .filter(|name| *name != item.name && text.contains(&format!("{name}()"))),
        );
        page += ".SH SEE ALSO\n";
        let see: Vec<String> = see.iter().map(|name| format!(".BR {name} (3)")).collect();
        page + &see.join(",\n") + "\n"
    }

    /// The page of all that is no function.
    pub fn overview(&self) -> String {
        let (first, parts) = self.header.parts.split_first().expect("a header");
        let (name, rest) = first.text.split_first().expect("it says what it is");
        let (_, summary) = name.split_once(" - ").expect("a name and what it is");
        let mut page = self.begin("ketama", summary);
        page += ".PP\n.B cc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs ketama)\n.fi\n";
        page += ".SH DESCRIPTION\n";
        let about = paragraphs(rest);
        let about_the_file = about.iter().position(|p| p.is("This file "));
        let end = about_the_file.unwrap_or(about.len());
        self.write(&mut page, &about[..end], &[]);
        self.write_items(&mut page, first);
        for part in parts {
            writeln!(page, ".SH {}", escaped(&part.title.to_uppercase())).unwrap();
            self.write(&mut page, &paragraphs(&part.text), &[]);
            self.write_items(&mut page, part);
        }
        page += ".SH SEE ALSO\n.BR ketama (1)\n";
        page
    }

    /// The types and constants of a part, and the names of its functions.
    fn write_items(&self, page: &mut String, part: &Part) {
        for item in part.items.iter().filter(|i| i.kind != Kind::Function) {
            writeln!(page, ".SS {}", escaped(&item.name)).unwrap();
            let is_enum = item.declaration[0].starts_with("typedef enum");
            if !is_enum {
                page.push_str(".EX\n");
                for line in &item.declaration {
                    writeln!(page, "{}", escaped(line)).unwrap();
                }
                page.push_str(".EE\n.PP\n");
            }
            self.write(page, &paragraphs(&item.text), &[]);
            for member in item
                .members
                .iter()
                .filter(|m| is_enum || !m.text.is_empty())
            {
                writeln!(page, ".TP\n.B {}", escaped(&member.declaration)).unwrap();
                self.write_text(page, &member.text.join(" "), &[]);
            }
        }
        let functions = || part.items.iter().filter(|i| i.kind == Kind::Function);
        if functions().next().is_some() {
            page.push_str(".SS Functions\n");
        }
        for item in functions() {
            writeln!(page, ".TP\n.BR {} (3)", item.name).unwrap();
            self.write_text(page, &summary(&item.text), &[]);
        }
    }

    fn begin(&self, name: &str, summary: &str) -> String {
        // Long names leave too few places to break a line to fill both margins.
        let mut page = format!(
            ".\\\" Written from ketama.h.\n\
             .TH {} 3 {} \"ketama {}\" \"Library Functions Manual\"\n\
             .ad l\n.SH NAME\n",
            name.to_uppercase(),
            self.date,
            self.version,
        );
        write_lines(&mut page, &format!("{name} \\- {}", escaped(summary)));
        page + ".SH LIBRARY\nketama\n.RI ( libketama ,\n.IR \\-lketama )\n\
                .SH SYNOPSIS\n.nf\n.B #include <ketama.h>\n"
    }

    fn functions(&self) -> impl Iterator<Item = &str> {
        let items = self.header.items();
        items
            .filter(|item| item.kind == Kind::Function)
            .map(|item| item.name.as_str())
    }

    fn write(&self, page: &mut String, paragraphs: &[Paragraph], parameters: &[&str]) {
        for (index, paragraph) in paragraphs.iter().enumerate() {
            match paragraph {
                Paragraph::Text(text) => {
                    if index > 0 {
                        page.push_str(".PP\n");
                    }
                    self.write_text(page, text, parameters);
                }
                Paragraph::Parameter { names, text } => {
                    let names: Vec<String> =
                        names.iter().map(|name| format!("\\fI{name}\\fP")).collect();
                    writeln!(page, ".TP\n{}", names.join(", ")).unwrap();
                    self.write_text(page, text, parameters);
                }
                Paragraph::Code(lines) => {
                    page.push_str(".PP\n.RS 4\n.EX\n");
                    for line in lines {
                        writeln!(page, "{}", escaped(line)).unwrap();
                    }
                    page.push_str(".EE\n.RE\n");
                }
            }
        }
    }

    fn write_text(&self, page: &mut String, text: &str, parameters: &[&str]) {
        write_lines(page, &self.formatted(text, parameters));
    }

    /// Text with the fonts of names: what stands in backquotes, and functions everywhere.
    fn formatted(&self, text: &str, parameters: &[&str]) -> String {
        let mut formatted = String::new();
        for (index, piece) in text.split('`').enumerate() {
            if index % 2 == 1 && !piece.ends_with("()") {
                let font = if parameters.contains(&piece) {
                    'I'
                } else {
                    'B'
                };
                write!(formatted, "\\f{font}\\%{}\\fP", escaped(piece)).unwrap();
                continue;
            }
            for word in piece.split_inclusive(' ') {
                let name = word.split("()").next().expect("split gives one");
                if name.len() < word.len() && self.functions().any(|function| function == name) {
                    let rest = &word[name.len() + 2..];
                    write!(formatted, "\\fB\\%{name}\\fP(3){}", escaped(rest)).unwrap();
                } else {
                    formatted += &word.replace('\\', "\\e");
                }
            }
        }
        formatted
    }
}

/// Writes a line for each sentence, or several where it is long.
fn write_lines(page: &mut String, text: &str) {
    let mut words = text.split(' ').peekable();
    let mut line = String::new();
    while let Some(word) = words.next() {
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
        let ends = words.peek().is_none_or(|next| {
            let is_sentence =
                word.ends_with(['.', '?']) && next.starts_with(|c: char| !c.is_lowercase());
            is_sentence || line.len() + 1 + next.len() > WIDTH
        });
        if ends {
            // These would begin a request.
            if line.starts_with(['.', '\'']) {
                page.push_str("\\&");
            }
            writeln!(page, "{line}").unwrap();
            line.clear();
        }
    }
}

fn synopsis(item: &Item) -> String {
    let (before, _) = item.declaration[0].split_once('(').expect("a function");
    let parameters = item.parameters();
    let mut page = ".PP\n".to_owned();
    if parameters.is_empty() {
        writeln!(page, ".B \"{}\"", item.declaration[0]).unwrap();
    }
    let is_short = item.declaration[0].len() <= WIDTH - 7;
    let margin = " ".repeat(before.len() + 1);
    for (index, parameter) in parameters.iter().enumerate() {
        let name = last_name(parameter);
        let of_type = parameter.strip_suffix(name).expect("it ends with its name");
        let begin = match index {
            0 => &format!("{before}("),
            _ if is_short => " ",
            _ => &margin,
        };
        let end = match index + 1 == parameters.len() {
            true => ");",
            false => ",",
        };
        let request = match index > 0 && is_short {
            true => "",
            false => ".BI ",
        };
        write!(page, "{request}\"{begin}{of_type}\" {name} {end}").unwrap();
        page.push(if is_short && end == "," { ' ' } else { '\n' });
    }
    page + ".fi\n"
}

enum Paragraph {
    Text(String),
    Parameter { names: Vec<String>, text: String },
    Code(Vec<String>),
}

impl Paragraph {
    fn is(&self, beginning: &str) -> bool {
        matches!(self, Paragraph::Text(text) if text.starts_with(beginning))
    }
}

fn paragraphs(lines: &[String]) -> Vec<Paragraph> {
    let mut all: Vec<Paragraph> = Vec::new();
    let mut continues = false;
    for line in lines {
        let last = all.last_mut();
        if let Some(code) = line.strip_prefix("    ") {
            match last {
                Some(Paragraph::Code(lines)) => lines.push(code.to_owned()),
                _ => all.push(Paragraph::Code(vec![code.to_owned()])),
            }
        } else if line.is_empty() {
            if let Some(Paragraph::Code(lines)) = last {
                lines.push(String::new());
            }
        } else if let Some(parameter) = parameter(line) {
            all.push(parameter);
        } else {
            match last {
                Some(Paragraph::Text(text) | Paragraph::Parameter { text, .. }) if continues => {
                    *text += " ";
                    *text += line;
                }
                _ => all.push(Paragraph::Text(line.clone())),
            }
        }
        continues = !line.is_empty();
    }
    for paragraph in &mut all {
        if let Paragraph::Code(lines) = paragraph {
            let used = lines.iter().rposition(|line| !line.is_empty());
            lines.truncate(used.map_or(0, |last| last + 1));
        }
    }
    all
}

/// A line that begins with parameters: names in backquotes with commas between, and a colon.
fn parameter(line: &str) -> Option<Paragraph> {
    let (names, text) = line.split_once(": ")?;
    let names = names.split(", ").map(|name| {
        let name = name.strip_prefix('`')?.strip_suffix('`')?;
        Some(name.to_owned())
    });
    Some(Paragraph::Parameter {
        names: names.collect::<Option<_>>()?,
        text: text.to_owned(),
    })
}

/// What it does in a line: the beginning of its text.
fn summary(text: &[String]) -> String {
    let text = text.join(" ");
    let end = text.find(". ").into_iter();
    let end = end.chain(text.find([',', ':', ';'])).min();
    let begin = &text[..end.unwrap_or(text.len())];
    let begin = begin.trim_end_matches('.').replace('`', "");
    let mut letters = begin.chars();
    let first = letters.next().expect("a text").to_lowercase();
    first.chain(letters).collect()
}

/// Literal text: what roff gives a meaning is kept as it is.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let text = text.replace('\'', "\\(aq").replace('`', "\\(ga");
    match text.starts_with('.') {
        true => format!("\\&{text}"),
        false => text,
    }
}
