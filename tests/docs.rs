//! The documents name files, folders and make targets that exist, and their links lead somewhere.

mod common;

use common::ROOT;
use ketama::Dialect;
use std::fs;
use std::path::Path;

const DOCUMENTS: &[&str] = &[
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "bindings/go/README.md",
    "bindings/php/README.md",
    "bindings/python/README.md",
    "bindings/ruby/README.md",
    "cli/README.md",
    "docs/bench/README.md",
    "docs/unsafe.md",
    "examples/libketama/README.md",
    "fuzz/README.md",
];

/// Those that speak of the project's own tree, so that every path in them is below its folder.
const ABOUT_THE_TREE: &[&str] = &["CONTRIBUTING.md", "SECURITY.md"];

#[test]
fn links_lead_to_files_and_headings() {
    for document in DOCUMENTS {
        let path = Path::new(ROOT).join(document);
        let text = fs::read_to_string(&path).unwrap();
        let links = text
            .split("](")
            .skip(1)
            .map(|rest| rest.split(')').next().unwrap());
        for link in links.filter(|link| !link.starts_with("https://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.with_file_name(file),
            };
            assert!(target.exists(), "{document} links to {link}");
            if !heading.is_empty() {
                let text = fs::read_to_string(target).unwrap();
                assert!(
                    text.lines().any(|line| anchor(line) == heading),
                    "{document} links to {link}"
                );
            }
        }
    }
}

/// What a heading is linked to by.
fn anchor(line: &str) -> String {
    let title = line.trim_start_matches('#');
    if title == line {
        return String::new();
    }
    let kept = title
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn make_has_the_targets_that_are_named() {
    let makefile = fs::read_to_string(Path::new(ROOT).join("Makefile")).unwrap();
    let mut named = 0;
    for document in DOCUMENTS {
        let text = fs::read_to_string(Path::new(ROOT).join(document)).unwrap();
        for command in commands(&text) {
            let Some(goal) = command.strip_prefix("make ") else {
                continue;
            };
            let goal = goal.split(' ').next().unwrap();
            if goal.is_empty() {
                continue;
            }
            assert!(
                makefile.lines().any(|line| line
                    .split_once(':')
                    .is_some_and(|(targets, _)| targets == goal)),
                "{document} says make {goal}"
            );
            named += 1;
        }
    }
    assert!(named > 20, "{named}");
}

#[test]
fn files_and_folders_that_are_named_exist() {
    let mut named = 0;
    for document in ABOUT_THE_TREE {
        let text = fs::read_to_string(Path::new(ROOT).join(document)).unwrap();
        for word in commands(&text) {
            let is_path = (word.contains('/') || word.rsplit_once('.').is_some_and(is_suffix))
                && !word.starts_with("target/")
                && word
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
            if is_path {
                assert!(
                    Path::new(ROOT).join(word).exists(),
                    "{document} names {word}"
                );
                named += 1;
            }
        }
    }
    assert!(named > 20, "{named}");
}

#[test]
fn the_readmes_table_has_every_dialect() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    for dialect in Dialect::ALL {
        assert!(readme.contains(&format!(" | `{dialect}` |\n")), "{dialect}");
    }
}

fn is_suffix((_, suffix): (&str, &str)) -> bool {
    ["c", "h", "hpp", "lock", "md", "rs", "sh", "toml"].contains(&suffix)
}

/// What stands in backticks, and at the beginning of an indented line, with or without sudo.
fn commands(text: &str) -> impl Iterator<Item = &str> {
    let in_backticks = text.split('`').skip(1).step_by(2);
    let indented = text.lines().filter_map(|line| line.strip_prefix("    "));
    let indented = indented.flat_map(|line| {
        let line = line.strip_prefix("sudo ").unwrap_or(line);
        [line, line.split(' ').next().unwrap()]
    });
    in_backticks.chain(indented)
}
