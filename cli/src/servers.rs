//! What stands behind `-s`: a file or a list.

use crate::args::RingArgs;
use crate::failure::Failure;
use crate::output::{complain, shown};
use ketama::libketama::pieces;
use ketama::{Dialect, Error, Ring, Rules, Server};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Servers as they were given, of which a ring can be made by any rules.
pub struct Source {
    /// The path or the list.
    pub name: String,
    content: Content,
}

enum Content {
    File(Vec<u8>),
    List(Vec<Server>),
}

/// A ring, and what it is called.
pub struct Named {
    pub name: String,
    pub dialect: Dialect,
    pub ring: Ring,
}

impl Named {
    pub fn of(args: &RingArgs) -> Result<Named, Failure> {
        Named::new(&args.servers, args.dialect.dialect)
    }

    /// Reads servers and makes their ring; says so where libketama would make another one of them.
    pub fn new(servers: &OsStr, dialect: Dialect) -> Result<Named, Failure> {
        let source = Source::read(servers)?;
        let ring = source.ring(dialect.rules())?;
        if dialect == Dialect::Libketama && source.is_misread(&ring) {
            complain(&format!(
                "{}: warning: libketama would read this otherwise; run `ketama lint {}`",
                source.name, source.name
            ));
        }
        Ok(Named {
            name: source.name,
            dialect,
            ring,
        })
    }

    /// The name of a server for people's eyes.
    pub fn server(&self, server: u32) -> String {
        shown(&self.ring.servers()[server as usize].name)
    }
}

impl Source {
    pub fn read(servers: &OsStr) -> Result<Source, Failure> {
        let name = shown(servers.as_bytes());
        let path = Path::new(servers);
        let content = if servers == "-" || path.exists() {
            Content::File(read_file(path)?)
        } else {
            Content::List(list(servers.as_bytes()).ok_or_else(|| {
                Failure::new(format!(
                    "{name}: no such file, nor a list of servers; give a path, or NAME=WEIGHT,NAME=WEIGHT"
                ))
            })?)
        };
        Ok(Source { name, content })
    }

    pub fn ring(&self, rules: &Rules) -> Result<Ring, Failure> {
        let made = match &self.content {
            Content::File(text) => Ring::from_text(text, rules),
            Content::List(servers) => Ring::with_rules(&borrowed(servers), rules),
        };
        made.map_err(|error| self.failure(error))
    }

    /// What is wrong, where and what to do.
    fn failure(&self, error: Error) -> Failure {
        let name = &self.name;
        Failure::new(match error {
            Error::Syntax {
                line,
                column,
                expected,
            } => {
                format!(
                    "{name}:{line}:{column}: expected {expected}; `ketama lint {name}` says what libketama reads"
                )
            }
            Error::NoServers => {
                format!("{name}: there is no server in it; add a line NAME WEIGHT for each")
            }
            Error::NoPoints => {
                format!("{name}: {error}; give one a larger weight, or another dialect")
            }
            Error::TooManyPoints { server } => format!(
                "{name}: with {} the ring has more than 2^31 points; divide all weights by the same number",
                self.server(server)
            ),
            Error::WeightSum { server } => format!(
                "{name}: with {} the sum of the weights reaches 2^64; divide all by the same number",
                self.server(server)
            ),
            Error::ZeroWeight { server } => format!(
                "{name}: the weight of {} is 0; give it at least 1, or choose a dialect that takes it",
                self.server(server)
            ),
            Error::LongName { server } => format!(
                "{name}: a name is longer than {} bytes: {}; shorten it",
                Server::MAX_NAME,
                self.server(server)
            ),
            _ => format!("{name}: {error}; give fewer servers, or smaller weights"),
        })
    }

    /// The name of a server of which no ring could be made.
    fn server(&self, place: usize) -> String {
        match &self.content {
            Content::List(servers) => shown(&servers[place].name),
            // A dialect without weights takes them all.
            Content::File(text) => Ring::from_text(text, Dialect::Spymemcached.rules())
                .map_or(format!("server {place}"), |ring| {
                    shown(&ring.servers()[place].name)
                }),
        }
    }

    fn is_misread(&self, ring: &Ring) -> bool {
        match &self.content {
            Content::List(_) => false,
            Content::File(text) => {
                let read: Result<Vec<Server>, String> = pieces(text)
                    .filter_map(|piece| piece.read.transpose())
                    .collect();
                read.as_deref() != Ok(ring.servers())
            }
        }
    }
}

/// Servers that a ring can be made of again.
pub fn borrowed(servers: &[Server]) -> Vec<Server<&[u8]>> {
    servers
        .iter()
        .map(|server| Server {
            name: &*server.name,
            weight: server.weight,
        })
        .collect()
}

/// A list NAME[=WEIGHT],..., where it is one.
fn list(text: &[u8]) -> Option<Vec<Server>> {
    // A path with a typing error is to be called one.
    if !text.iter().any(|byte| matches!(byte, b',' | b'=' | b':')) {
        return None;
    }
    text.split(|&byte| byte == b',').map(item).collect()
}

fn item(text: &[u8]) -> Option<Server> {
    let (name, weight) = match text.iter().rposition(|&byte| byte == b'=') {
        None => (text, 1),
        Some(at) => {
            let digits = std::str::from_utf8(&text[at + 1..]).ok()?;
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            (&text[..at], digits.parse().ok().filter(|_| is_number)?)
        }
    };
    (!name.is_empty()).then(|| Server {
        name: name.into(),
        weight,
    })
}

/// A whole file, or standard input for `-`.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    open(path)?
        .read_to_end(&mut text)
        .map_err(|error| unreadable(path, &error))?;
    Ok(text)
}

/// A file to read, or standard input for `-`.
pub fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Ok(Box::new(file))
}

/// Standard input can be read once.
pub fn check_stdin<const N: usize>(inputs: [Option<&OsStr>; N]) -> Result<(), Failure> {
    if inputs
        .iter()
        .filter(|input| **input == Some(OsStr::new("-")))
        .count()
        > 1
    {
        return Err(Failure::new(
            "two inputs are standard input, which can be read once; put one into a file",
        ));
    }
    Ok(())
}

pub fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let name = shown(path.as_os_str().as_bytes());
    Failure::new(format!(
        "{name}: cannot read it: {error}; give a file that can be read"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<(String, u64)>> {
        let servers = list(text.as_bytes())?;
        let read = servers
            .iter()
            .map(|server| (shown(&server.name), server.weight));
        Some(read.collect())
    }

    #[test]
    fn a_list_has_names_and_perhaps_weights() {
        let list = read("10.0.0.1:11211=600,[::1]:11211,a=b=3,/run/m.sock=2").unwrap();
        let expected = [
            ("10.0.0.1:11211", 600),
            ("[::1]:11211", 1),
            ("a=b", 3),
            ("/run/m.sock", 2),
        ];
        assert_eq!(
            list,
            expected.map(|(name, weight)| (name.to_owned(), weight))
        );
        for none in [
            "",
            "servers.txt",
            "a=x",
            "a=+1",
            "a=",
            "=1",
            "a=1,",
            "a=18446744073709551616",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
