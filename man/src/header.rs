//! Reads ketama.h, which tests/header.rs of the library keeps in one form.

/// What the header says.
pub struct Header {
    /// The first has no title: it is what the header says of itself.
    pub parts: Vec<Part>,
}

/// What follows one of the comments between `/*` and `*/`.
pub struct Part {
    pub title: String,
    pub text: Vec<String>,
    pub items: Vec<Item>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Function,
    Type,
    Constant,
}

/// A declaration and the comment before it.
pub struct Item {
    pub kind: Kind,
    pub name: String,
    pub text: Vec<String>,
    /// A line, or several of a structure or enumeration.
    pub declaration: Vec<String>,
    pub members: Vec<Member>,
}

/// A field of a structure or a value of an enumeration.
pub struct Member {
    pub declaration: String,
    pub text: Vec<String>,
}

impl Header {
    pub fn parse(source: &str) -> Header {
        let mut parts = Vec::new();
        let mut comment = Vec::new();
        let mut lines = source.lines();
        while let Some(line) = lines.next() {
            if line == "/*" {
                parts.push(Part::parse(&mut lines, parts.is_empty()));
            } else if let Some(text) = comment_line(line) {
                comment.push(text.to_owned());
            } else if let Some(text) = line.strip_prefix("/* ") {
                comment.push(text.trim_end_matches(" */").to_owned());
            } else if let Some(part) = parts.last_mut()
                && !comment.is_empty()
            {
                let text = std::mem::take(&mut comment);
                part.items.push(Item::parse(text, line, &mut lines));
            }
        }
        Header { parts }
    }

    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.parts.iter().flat_map(|part| &part.items)
    }
}

impl Part {
    fn parse<'a>(lines: &mut impl Iterator<Item = &'a str>, is_first: bool) -> Part {
        let mut text: Vec<String> = lines
            .map_while(|line| line.strip_prefix(" *"))
            .take_while(|line| *line != "/")
            .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
            .collect();
        let title = if is_first {
            String::new()
        } else {
            text.remove(0)
        };
        Part {
            title,
            text,
            items: Vec::new(),
        }
    }
}

impl Item {
    /// The declaration that begins with a line.
    fn parse<'a>(
        text: Vec<String>,
        first: &str,
        lines: &mut impl Iterator<Item = &'a str>,
    ) -> Item {
        let mut declaration = vec![first.to_owned()];
        let mut members = Vec::new();
        let kind = if first.starts_with("#define") {
            Kind::Constant
        } else if first.starts_with("typedef") {
            Kind::Type
        } else {
            Kind::Function
        };
        if first.ends_with('{') {
            let mut comment = Vec::new();
            for line in lines {
                if let Some(text) = comment_line(line.trim_start()) {
                    comment.push(text.to_owned());
                    continue;
                }
                declaration.push(line.to_owned());
                if line.starts_with('}') {
                    break;
                }
                members.push(Member {
                    declaration: line.trim().trim_end_matches([',', ';']).to_owned(),
                    text: std::mem::take(&mut comment),
                });
            }
        } else if kind == Kind::Function {
            while !declaration[0].ends_with(';') {
                declaration[0] += " ";
                declaration[0] += lines.next().expect("a declaration ends").trim();
            }
        }
        let last = declaration.last().expect("it has one line at least");
        let name = match kind {
            Kind::Function => last_name(last.split('(').next().expect("split gives one")),
            Kind::Constant => last.split(' ').nth(1).expect("a #define has a name"),
            // A pointer to a function has its name in the first parentheses.
            Kind::Type => last_name(last.split(')').next().expect("split gives one")),
        };
        Item {
            kind,
            name: name.to_owned(),
            text,
            members,
            declaration,
        }
    }

    /// The parameters of a function, or none.
    pub fn parameters(&self) -> Vec<&str> {
        let (_, parameters) = self.declaration[0].split_once('(').expect("a function");
        match parameters.trim_end_matches(");") {
            "void" => Vec::new(),
            list => list.split(", ").collect(),
        }
    }
}

/// The name at the end of a declaration.
pub fn last_name(declaration: &str) -> &str {
    declaration
        .trim_end_matches(';')
        .rsplit([' ', '*'])
        .next()
        .expect("split gives one")
}

fn comment_line(line: &str) -> Option<&str> {
    let text = line.strip_prefix("//")?;
    Some(text.strip_prefix(' ').unwrap_or(text))
}
