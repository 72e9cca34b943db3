//! Where keys live.

use crate::args::Get;
use crate::failure::{Failure, Status};
use crate::keys;
use crate::output::{BOLD, Format, Output, json_field, shown};
use crate::servers::{Named, check_stdin};
use ketama::dialect::Lookup;
use ketama::{Point, Ring};
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How wide the keys of standard input are in a table: they come one behind the other.
const KEY_WIDTH: usize = 40;

pub fn run(args: &Get, output: Output) -> Result<Status, Failure> {
    let from_stdin = args.keys.is_empty().then_some(OsStr::new("-"));
    check_stdin([Some(&*args.ring.servers), from_stdin])?;
    let named = Named::of(&args.ring)?;
    let is_down = down(&named, &args.down)?;
    let given: Vec<&[u8]> = args.keys.iter().map(|key| key.as_bytes()).collect();
    let key_width = if given.is_empty() {
        KEY_WIDTH
    } else {
        given
            .iter()
            .map(|key| width(key))
            .fold("key".len(), usize::max)
    };
    let lines = Lines::new(&named.ring, args, output.format, &is_down, key_width);

    let mut stdout = io::stdout().lock();
    let mut out = Vec::new();
    lines.header(&mut out, output)?;
    stdout.write_all(&out)?;
    let mut write = |keys: &[&[u8]]| {
        out.clear();
        lines.write(keys, &mut out)?;
        stdout.write_all(&out)?;
        Ok(stdout.flush()?)
    };
    if given.is_empty() {
        let delimiter = if args.null { 0 } else { b'\n' };
        let is_bar_wanted = !io::stdout().is_terminal();
        keys::for_each_group(Path::new("-"), delimiter, is_bar_wanted, write)?;
    } else {
        write(&given)?;
    }
    Ok(Status::Fine)
}

/// Whether each server is down.
fn down(named: &Named, names: &[OsString]) -> Result<Vec<bool>, Failure> {
    let servers = named.ring.servers();
    let mut is_down = vec![false; servers.len()];
    for name in names {
        let mut found = false;
        for (server, is_down) in servers.iter().zip(&mut is_down) {
            if *server.name == *name.as_bytes() {
                (found, *is_down) = (true, true);
            }
        }
        if !found {
            let first = shown(&servers[0].name);
            return Err(Failure::new(format!(
                "--down {}: {} has no such server; give a name as it stands there, such as {first}",
                shown(name.as_bytes()),
                named.name
            )));
        }
    }
    if named
        .ring
        .points()
        .all(|point| is_down[point.server as usize])
    {
        return Err(Failure::new("--down: no server is left; leave one up"));
    }
    Ok(is_down)
}

/// Writes the answer for each key.
struct Lines<'a> {
    ring: &'a Ring,
    points: Vec<Point>,
    format: Format,
    key_width: usize,
    is_null: bool,
    is_down: &'a [bool],
    is_any_down: bool,
    replicas: usize,
    /// The servers' names as this format has them.
    names: Vec<Vec<u8>>,
    name_width: usize,
}

/// What is to be said of a key.
struct Answer<'a> {
    key: &'a [u8],
    position: u32,
    point: Point,
    /// The server that it would be, were that not down.
    instead_of: Option<u32>,
    /// All its servers, where replicas are wanted.
    replicas: Vec<u32>,
}

impl<'a> Lines<'a> {
    fn new(
        ring: &'a Ring,
        args: &Get,
        format: Format,
        is_down: &'a [bool],
        key_width: usize,
    ) -> Self {
        let names = ring.servers().iter().map(|server| match format {
            Format::Json => json_field("server", &server.name).into_bytes(),
            _ => server.name.to_vec(),
        });
        let names: Vec<Vec<u8>> = names.collect();
        Lines {
            ring,
            points: ring.points().collect(),
            format,
            key_width,
            is_null: args.null,
            is_down,
            is_any_down: !args.down.is_empty(),
            replicas: args.replicas.unwrap_or(1) as usize,
            name_width: names
                .iter()
                .map(|name| width(name))
                .fold("server".len(), usize::max),
            names,
        }
    }

    fn header(&self, out: &mut Vec<u8>, output: Output) -> Result<(), Failure> {
        let mut columns: Vec<String> = ["key", "position", "point", "server"]
            .map(str::to_owned)
            .into();
        columns.extend((2..=self.replicas).map(|n| format!("replica_{n}")));
        if self.is_any_down {
            columns.push("instead_of".to_owned());
        }
        match self.format {
            Format::Json => {}
            Format::Csv => csv::Writer::from_writer(out).write_record(&columns)?,
            Format::Table => {
                let mut line = Vec::new();
                pad(&mut line, b"key", self.key_width);
                write!(line, " {:>10} {:>10}", "position", "point")?;
                for (at, name) in columns[3..].iter().enumerate() {
                    line.extend_from_slice(b"  ");
                    let width = if at + 4 < columns.len() {
                        self.name_width
                    } else {
                        0
                    };
                    pad(&mut line, name.replace('_', " ").as_bytes(), width);
                }
                let line = String::from_utf8(line).expect("headings are ASCII");
                out.extend_from_slice(output.paint(BOLD, &line).as_bytes());
                out.push(self.line_end());
            }
        }
        Ok(())
    }

    fn write(&self, keys: &[&[u8]], out: &mut Vec<u8>) -> Result<(), Failure> {
        let positions = self.ring.hash_many(keys);
        let answers = keys
            .iter()
            .zip(positions)
            .map(|(key, position)| self.answer(key, position));
        match self.format {
            Format::Table => answers.for_each(|answer| self.table_line(&answer, out)),
            Format::Json => {
                for answer in answers {
                    self.json_line(&answer, out)?;
                }
            }
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                for answer in answers {
                    self.csv_line(&answer, &mut writer)?;
                }
                writer.flush()?;
            }
        }
        Ok(())
    }

    fn answer<'k>(&self, key: &'k [u8], position: u32) -> Answer<'k> {
        let own = self.ring.point_of(position);
        let mut point = self.points[own];
        let mut instead_of = None;
        if self.is_down[point.server as usize] {
            instead_of = Some(point.server);
            let is_up = |at: &usize| !self.is_down[self.points[*at].server as usize];
            point = self.points[self.onward(own).find(is_up).expect("one server is up")];
        }
        let replicas = if self.replicas > 1 {
            let mut replicas: Vec<u32> = Vec::new();
            for server in self.ring.walk(key).filter(|&server| !self.is_down[server]) {
                let name = |server: u32| &self.names[server as usize];
                // A server that is listed twice is one.
                if replicas
                    .iter()
                    .all(|&other| name(other) != name(server as u32))
                {
                    replicas.push(server as u32);
                }
                if replicas.len() == self.replicas {
                    break;
                }
            }
            replicas
        } else {
            Vec::new()
        };
        Answer {
            key,
            position,
            point,
            instead_of,
            replicas,
        }
    }

    /// The points from one on, the way that the lookup goes.
    fn onward(&self, own: usize) -> impl Iterator<Item = usize> {
        let count = self.points.len();
        // One back is all but one on.
        let step = match self.ring.rules().lookup {
            Lookup::AtOrBefore => count - 1,
            _ => 1,
        };
        (0..count).map(move |steps| (own + steps * step) % count)
    }

    /// The names of the servers behind the first, and of the one that is down; empty where there is none.
    fn others<'s>(&'s self, answer: &'s Answer) -> impl Iterator<Item = Option<u32>> + 's {
        let replicas = (1..self.replicas).map(|n| answer.replicas.get(n).copied());
        replicas.chain(self.is_any_down.then_some(answer.instead_of))
    }

    fn name(&self, server: Option<u32>) -> &[u8] {
        server.map_or(b"", |server| &self.names[server as usize])
    }

    fn table_line(&self, answer: &Answer, out: &mut Vec<u8>) {
        let mut number = itoa::Buffer::new();
        pad(out, answer.key, self.key_width);
        for value in [answer.position, answer.point.point] {
            let digits = number.format(value);
            out.extend_from_slice(&b"           "[digits.len()..]);
            out.extend_from_slice(digits.as_bytes());
        }
        let mut pending = 2;
        for server in [Some(answer.point.server)]
            .into_iter()
            .chain(self.others(answer))
        {
            let name = self.name(server);
            if !name.is_empty() {
                out.resize(out.len() + pending, b' ');
                out.extend_from_slice(name);
                pending = 0;
            }
            pending += self.name_width - width(name) + 2;
        }
        out.push(self.line_end());
    }

    /// What ends a line of the table: keys that end with a NUL may have newlines.
    fn line_end(&self) -> u8 {
        if self.is_null { 0 } else { b'\n' }
    }

    fn json_line(&self, answer: &Answer, out: &mut Vec<u8>) -> Result<(), Failure> {
        let mut number = itoa::Buffer::new();
        out.push(b'{');
        match std::str::from_utf8(answer.key) {
            Ok(key) => {
                out.extend_from_slice(b"\"key\":");
                serde_json::to_writer(&mut *out, key)?;
            }
            Err(_) => out.extend_from_slice(json_field("key", answer.key).as_bytes()),
        }
        out.extend_from_slice(b",\"position\":");
        out.extend_from_slice(number.format(answer.position).as_bytes());
        out.extend_from_slice(b",\"point\":");
        out.extend_from_slice(number.format(answer.point.point).as_bytes());
        out.push(b',');
        out.extend_from_slice(self.name(Some(answer.point.server)));
        if self.is_any_down {
            out.extend_from_slice(b",\"instead_of\":");
            self.json_servers(answer.instead_of.as_slice(), out, b"null");
        }
        if self.replicas > 1 {
            out.extend_from_slice(b",\"replicas\":[");
            self.json_servers(&answer.replicas, out, b"");
            out.push(b']');
        }
        out.extend_from_slice(b"}\n");
        Ok(())
    }

    fn json_servers(&self, servers: &[u32], out: &mut Vec<u8>, none: &[u8]) {
        if servers.is_empty() {
            out.extend_from_slice(none);
        }
        for (at, &server) in servers.iter().enumerate() {
            out.extend_from_slice(if at > 0 { b",{" } else { b"{" });
            out.extend_from_slice(self.name(Some(server)));
            out.push(b'}');
        }
    }

    fn csv_line(
        &self,
        answer: &Answer,
        writer: &mut csv::Writer<&mut Vec<u8>>,
    ) -> Result<(), Failure> {
        let mut number = itoa::Buffer::new();
        writer.write_field(answer.key)?;
        writer.write_field(number.format(answer.position))?;
        writer.write_field(number.format(answer.point.point))?;
        writer.write_field(self.name(Some(answer.point.server)))?;
        for server in self.others(answer) {
            writer.write_field(self.name(server))?;
        }
        Ok(writer.write_record(None::<&[u8]>)?)
    }
}

/// How many characters this is, roughly: whole ones of UTF-8, or bytes.
fn width(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

fn pad(out: &mut Vec<u8>, text: &[u8], width: usize) {
    out.extend_from_slice(text);
    out.resize(out.len() + width.saturating_sub(self::width(text)), b' ');
}
