//! Libraries of other languages, each in a process of its own runtime, which takes its turns by
//! lines: `build FILE`, `answers KEYS ANSWERS` and `find`.

use super::Contender;
use crate::clock::Nanoseconds;
use crate::keys::Keys;
use crate::report::thousands;
use crate::servers::Servers;
use ketama::Rules;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub struct Runtime {
    name: String,
    about: String,
    rules: Rules,
    most_servers: usize,
    /// How many keys a round takes.
    most_keys: usize,
    keys: usize,
    folder: PathBuf,
    child: Child,
    /// Taken to end the child.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Runtime {
    /// `command`: the program, whose first line is to say what it is.
    pub fn start(
        name: &str,
        command: &mut Command,
        rules: Rules,
        most_servers: usize,
        most_keys: usize,
        folder: &Path,
    ) -> Result<Runtime, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut runtime = Runtime {
            name: name.to_owned(),
            about: String::new(),
            rules,
            most_servers,
            most_keys,
            keys: 0,
            folder: folder.to_owned(),
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
        };
        runtime.about = runtime.line();
        match runtime.about.is_empty() {
            true => Err("it does not start".to_owned()),
            false => Ok(runtime),
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The answer to a line: nanoseconds, where it is timed.
    fn ask(&mut self, line: &str) -> Nanoseconds {
        writeln!(self.input.as_mut().expect("a pipe"), "{line}").unwrap();
        let answer = self.line();
        answer
            .parse()
            .unwrap_or_else(|_| panic!("{}: {line}: {answer}", self.name))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.input = None;
        self.child.wait().unwrap();
    }
}

impl Contender for Runtime {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn about(&self) -> String {
        match self.most_servers {
            usize::MAX => self.about.clone(),
            most => format!("{}, up to {} servers", self.about, thousands(most)),
        }
    }

    fn rules(&self) -> Option<Rules> {
        Some(self.rules)
    }

    fn most_servers(&self) -> usize {
        self.most_servers
    }

    fn build(&mut self, servers: &Servers) -> Nanoseconds {
        let file = self.folder.join("runtime.servers");
        servers.write(&file);
        self.ask(&format!("build {}", file.display()))
    }

    fn answers(&mut self, keys: &Keys, servers: &Servers) -> Vec<u32> {
        self.keys = keys.len().min(self.most_keys);
        let (file, answers) = (self.folder.join("keys"), self.folder.join("answers"));
        fs::write(&file, keys.lines(self.keys)).unwrap();
        self.ask(&format!("answers {} {}", file.display(), answers.display()));
        let names = fs::read_to_string(&answers).unwrap();
        let owners: Vec<u32> = names.lines().map(|name| servers.index(name)).collect();
        assert_eq!(owners.len(), self.keys);
        owners
    }

    fn find(&mut self, _: &Keys) -> Nanoseconds {
        self.ask("find") / self.keys as f64
    }
}
