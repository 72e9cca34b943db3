//! The programs of examples/libketama/: libketama's own functions from seven languages, with the
//! same output to the byte.

mod common;

use common::{
    ROOT, SERVERS, built_library, compiler, folder, has, library_folder, must, must_with, not_run,
    output_with, reference,
};
use ketama::{Dialect, Point, Ring};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LANGUAGES: [&str; 7] = ["C", "C++", "Ruby", "PHP", "Python", "Node", "LuaJIT"];
const USAGE: &str = "usage: lookup FILE < KEYS";

#[test]
fn c() {
    agrees_with_the_ring("C");
}

#[test]
fn cpp() {
    agrees_with_the_ring("C++");
}

#[test]
fn ruby() {
    agrees_with_the_ring("Ruby");
}

#[test]
fn php() {
    agrees_with_the_ring("PHP");
}

#[test]
fn python() {
    agrees_with_the_ring("Python");
}

#[test]
fn node() {
    agrees_with_the_ring("Node");
}

#[test]
fn luajit() {
    agrees_with_the_ring("LuaJIT");
}

/// In one test, since programs that roll one file at a time get into each other's way.
#[test]
fn all_print_the_same_with_the_original() {
    let Some(reference) = reference() else {
        return not_run(
            "examples/libketama with the original",
            "KETAMA_REFERENCE names no original (make test builds one)",
        );
    };
    let folder = folder("old_way_original");
    let cases = cases(&folder);
    for language in LANGUAGES {
        let program = match Program::new(language, &folder) {
            Ok(program) => program,
            Err(why) => {
                not_run(&format!("{language} with the original"), &why);
                continue;
            }
        };
        for case in &cases {
            let output = must_with(
                program.command_with(&reference).arg(case.servers),
                &case.keys,
            );
            assert_same(language, case, &output.stdout);
        }
    }
}

#[test]
fn the_readme_shows_what_they_print() {
    let readme = fs::read_to_string(source("README.md")).unwrap();
    let ring = Ring::from_file(SERVERS, Dialect::Libketama).unwrap();
    let output = String::from_utf8(expected(&ring, b"user:42\nuser:43\n")).unwrap();
    let shown: String = output.lines().map(|line| format!("    {line}\n")).collect();
    assert!(readme.contains(&shown), "{shown}");
}

fn agrees_with_the_ring(language: &str) {
    let folder = folder(&format!("old_way_{language}"));
    let program = match Program::new(language, &folder) {
        Ok(program) => program,
        Err(why) => return not_run(&format!("examples/libketama in {language}"), &why),
    };
    for case in cases(&folder) {
        let output = must_with(program.command().arg(case.servers), &case.keys);
        assert_same(language, &case, &output.stdout);
        assert_eq!(output.stderr, b"", "{language}");
    }

    fs::write(folder.join("empty.servers"), "# none\n").unwrap();
    fs::write(folder.join("bad.servers"), "10.0.1.1:11211\t600\nb:1\n").unwrap();
    for (arguments, status, text) in [
        (
            &["missing.servers"][..],
            1,
            "Invalid filename specified: missing.servers",
        ),
        (
            &["empty.servers"],
            1,
            "No valid server definitions in file empty.servers",
        ),
        (
            &["bad.servers"],
            1,
            "No weight after the server name (line 2 in bad.servers)",
        ),
        (&[], 2, USAGE),
        (&["first.servers", "second.servers"], 2, USAGE),
    ] {
        let output = output_with(program.command().args(arguments), b"key\n");
        assert_eq!(
            (
                output.status.code(),
                &*output.stdout,
                &*String::from_utf8_lossy(&output.stderr),
            ),
            (Some(status), &b""[..], &*format!("{text}\n")),
            "{language}: {arguments:?}"
        );
    }
}

/// One of the programs, with what it takes to run it.
struct Program {
    words: Vec<PathBuf>,
    modules: PathBuf,
    folder: PathBuf,
}

impl Program {
    /// The program in this language, compiled if need be, or why it cannot be had here.
    fn new(language: &str, folder: &Path) -> Result<Program, String> {
        let modules = PathBuf::from(std::env::var_os("KETAMA_NODE_MODULES").unwrap_or_default());
        // With a line that shows whether the interpreter can load what the program needs.
        let interpreted = |file, interpreter: &str, option: &str, line: &str| {
            let output = Command::new(interpreter)
                .args([option, line])
                .env("NODE_PATH", &modules)
                .output();
            if output.is_ok_and(|output| output.status.success()) {
                Ok(vec![interpreter.into(), source(file)])
            } else {
                Err(format!("this fails: {interpreter} {option} \"{line}\""))
            }
        };
        let words = match language {
            "C" => vec![compiled("lookup.c", "c99", folder)],
            "C++" if !has("c++") => return Err("there is no C++ compiler".into()),
            "C++" => vec![compiled("lookup.cpp", "c++17", folder)],
            "Ruby" => interpreted("lookup.rb", "ruby", "-e", "require 'fiddle/import'")?,
            "PHP" => interpreted("lookup.php", "php", "-r", "FFI::cdef();")?,
            "Python" => interpreted("lookup.py", "python3", "-c", "import ctypes")?,
            "Node" => interpreted("lookup.js", "node", "-e", "require('koffi')")?,
            "LuaJIT" => interpreted("lookup.lua", "luajit", "-e", "require('ffi')")?,
            _ => unreachable!("{language}"),
        };
        Ok(Program {
            words,
            modules,
            folder: folder.to_owned(),
        })
    }

    /// The command that runs it in its folder, with this project's library.
    fn command(&self) -> Command {
        self.command_with(&built_library())
    }

    /// The command that runs it in its folder, with any libketama.so.1.
    fn command_with(&self, library: &Path) -> Command {
        let mut command = Command::new(&self.words[0]);
        command
            .args(&self.words[1..])
            .env("LD_LIBRARY_PATH", library_folder(&self.folder, library))
            .env("NODE_PATH", &self.modules)
            .current_dir(&self.folder);
        command
    }
}

fn source(file: &str) -> PathBuf {
    Path::new(ROOT).join("examples/libketama").join(file)
}

fn compiled(file: &str, standard: &str, folder: &Path) -> PathBuf {
    let executable = folder.join("lookup");
    must(
        compiler(&source(file), standard)
            .arg("-I")
            .arg(Path::new(ROOT).join("include"))
            .arg("-L")
            .arg(library_folder(folder, &built_library()))
            .arg("-lketama")
            .arg("-o")
            .arg(&executable),
    );
    executable
}

/// A server definition file in the test's folder, what is on standard input, and what that gives.
struct Case {
    servers: &'static str,
    keys: Vec<u8>,
    expected: Vec<u8>,
}

fn cases(folder: &Path) -> Vec<Case> {
    // Copies: other tests may roll the example's file with the original at the same time.
    fs::write(folder.join("first.servers"), fs::read(SERVERS).unwrap()).unwrap();
    // Names of 22 bytes and of 23, of which 22 are kept, not in UTF-8, and of digits alone.
    let second = b"cache-01.example:11211\t300\ncache-02.example:11211\t200\n\
        cache-03a.example:11211\t100\n\xe9\xff\xc3:11211\t50\n11211\t70\n";
    fs::write(folder.join("second.servers"), second).unwrap();

    let real = fs::read(Path::new(ROOT).join("examples/keys.txt")).unwrap();
    // Every byte but NUL, which ends a key, and a newline; the empty key; UTF-8; a long key; and
    // no newline at the end.
    let mut bytes: Vec<u8> = (1..=255)
        .filter(|&byte| byte != b'\n')
        .flat_map(|byte| [byte, b'\n', b'k', byte, byte, b'\n'])
        .collect();
    bytes.extend_from_slice("\n\r\nclé\r\nключ\n\u{2028}\n\u{feff}key\n".as_bytes());
    bytes.extend_from_slice(&[&b"\xf0\x9f"[..], &[b'x'; 70_000], b"\nend"].concat());

    [
        ("first.servers", &real[..]),
        ("first.servers", &bytes),
        ("second.servers", &bytes),
        ("second.servers", b""),
    ]
    .map(|(servers, keys)| {
        let ring = Ring::from_file(folder.join(servers), Dialect::Libketama).unwrap();
        Case {
            servers,
            keys: keys.to_owned(),
            expected: expected(&ring, keys),
        }
    })
    .into()
}

/// What a program is to print, by the Rust API.
fn expected(ring: &Ring, keys: &[u8]) -> Vec<u8> {
    let points: Vec<Point> = ring.points().collect();
    let name = |server: usize| {
        let name = &ring.servers()[server].name;
        &name[..name.len().min(22)]
    };
    let mut output = format!("{} points\n", points.len()).into_bytes();
    let mut lines: Vec<&[u8]> = keys.split(|&byte| byte == b'\n').collect();
    if lines.last() == Some(&&b""[..]) {
        lines.pop();
    }
    for key in lines {
        let position = ring.hash(key);
        let next = points.partition_point(|point| point.point < position);
        let point = points[next % points.len()].point;
        output.extend_from_slice(key);
        output.extend_from_slice(format!("\t{position}\t{point}\t").as_bytes());
        output.extend_from_slice(name(ring.find(key)));
        output.push(b'\n');
    }

    let mut counts: Vec<(&[u8], usize)> = Vec::new();
    for point in &points {
        let name = name(point.server as usize);
        match counts.iter_mut().find(|(counted, _)| *counted == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    for (name, count) in counts {
        output.extend_from_slice(name);
        output.extend_from_slice(format!("\t{count}\n").as_bytes());
    }
    output
}

/// Compares line by line, so that a failure shows the one that differs.
fn assert_same(language: &str, case: &Case, output: &[u8]) {
    let lines = |text: &[u8]| -> Vec<String> {
        text.split(|&byte| byte == b'\n')
            .map(|line| line.escape_ascii().to_string())
            .collect()
    };
    for (ours, theirs) in lines(&case.expected).iter().zip(&lines(output)) {
        assert_eq!(ours, theirs, "{language}: {}", case.servers);
    }
    assert_eq!(
        case.expected.len(),
        output.len(),
        "{language}: {}",
        case.servers
    );
}
