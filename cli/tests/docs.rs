//! What the README files show is what the command prints. `make docs-cli` rewrites it.

mod common;

use common::{GROWN, ROOT, SERVERS, stdout};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The command's answer as it is shown: under this line of a shell.
const PROMPT: &str = "$ ";

#[test]
fn the_readme_shows_what_is_printed() {
    for file in ["README.md", "cli/README.md"] {
        let text = fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
        let parts: Vec<&str> = text.split("```console\n").collect();
        let mut new = parts[0].to_owned();
        for part in &parts[1..] {
            let (block, rest) = part.split_once("```\n").unwrap();
            let command = block.lines().next().unwrap();
            new += &format!(
                "```console\n{command}\n{}```\n{rest}",
                run(command.strip_prefix(PROMPT).unwrap())
            );
        }
        assert!(parts.len() > 1, "{file} shows nothing");
        compare(file, &new);
    }
}

#[test]
fn the_pictures_are_those_that_are_drawn() {
    compare(
        "docs/cli/ring.svg",
        &stdout(&format!("plot -s {SERVERS} -o -")),
    );
    compare(
        "docs/cli/diff.svg",
        &stdout(&format!("plot {SERVERS} {GROWN} -o -")),
    );
}

/// What a line of a shell prints.
fn run(line: &str) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_ketama")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(ROOT)
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{line}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// Whether a file is up to date; or makes it so.
fn compare(file: &str, new: &str) {
    let path = Path::new(ROOT).join(file);
    if std::env::var_os("KETAMA_WRITE_DOCS").is_some() {
        fs::write(&path, new).unwrap();
    }
    let old = fs::read_to_string(&path).unwrap_or_default();
    assert!(old == new, "{file} is out of date: run make docs-cli");
}
