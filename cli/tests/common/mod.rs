//! Running the built command, in the checkout's folder.
#![allow(dead_code, unused_imports)] // Each test file uses its own part.

#[path = "../../../tests/common/escapes.rs"]
mod escapes;

use assert_cmd::Command;
pub use escapes::unescape;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
pub const SERVERS: &str = "examples/ketama.servers";
pub const GROWN: &str = "examples/grown.servers";

/// The command with these arguments, which must have no spaces.
pub fn ketama(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ketama"));
    command.current_dir(ROOT).args(arguments.split_whitespace());
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "KETAMA_SIMD"] {
        command.env_remove(variable);
    }
    command
}

/// What it prints where all is well.
pub fn stdout(arguments: &str) -> String {
    let output = ketama(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments}: {output:?}");
    assert!(output.stderr.is_empty(), "{arguments}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What it says on stderr where it ends with this status.
pub fn complaint(output: Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.starts_with("ketama: ") && text.ends_with('\n'),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

/// A fresh folder for a test's files.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The rows of CSV, less the header.
pub fn rows(csv: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let records = csv::Reader::from_reader(csv).into_byte_records();
    records
        .map(|row| row.unwrap().iter().map(<[u8]>::to_vec).collect())
        .collect()
}
