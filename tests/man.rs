//! The manual pages of the C functions say what include/ketama.h says.

mod common;

use common::{ROOT, folder, has, must, not_run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn every_function_has_a_page_with_all_that_the_header_says_of_it() {
    if !has("mandoc") {
        return not_run("what manual pages say", "there is no mandoc");
    }
    let pages = pages("man");
    let header = fs::read_to_string(Path::new(ROOT).join("include/ketama.h")).unwrap();
    for function in include_str!("data/symbols.txt").lines() {
        let page = Page::rendered(&pages.join(format!("{function}.3")));
        let name = page.section("NAME");
        assert!(name.starts_with(&format!("{function} - ")), "{name}");
        assert!(name.len() > function.len() + 10, "{name}");

        // A comment and a declaration, with an empty line before and behind.
        let call = format!("{function}(");
        let declares =
            |line: &str| line.starts_with(|c: char| c.is_ascii_lowercase()) && line.contains(&call);
        let (comment, declaration): (Vec<&str>, Vec<&str>) = header
            .split("\n\n")
            .find(|block| block.lines().any(declares))
            .unwrap()
            .lines()
            .partition(|line| line.starts_with("//"));
        assert_eq!(
            page.section("SYNOPSIS"),
            words(&format!("#include <ketama.h> {}", declaration.join(" ")))
        );
        let said = page.section("DESCRIPTION") + &page.section("RETURN VALUE");
        assert_eq!(
            letters(&said.replace("(3)", "")),
            letters(&comment.concat()),
            "{function}"
        );
    }
}

#[test]
fn manual_pages_have_no_warnings() {
    let pages = pages("man_lint");
    let mut files: Vec<PathBuf> = fs::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    // Pages that lead to another one.
    files.retain(|file| {
        let text = fs::read_to_string(file).unwrap();
        let other = text.strip_prefix(".so man3/").map(str::trim_end);
        assert!(
            other.is_none_or(|other| pages.join(other).exists()),
            "{text}"
        );
        other.is_none()
    });
    let lints: [(&str, &[&str]); 2] = [
        ("mandoc", &["-Tlint"]),
        ("man", &["--warnings", "-EUTF-8", "-Tutf8", "-Z", "-l"]),
    ];
    for (program, options) in lints {
        if !has(program) {
            not_run(&format!("manual pages with {program}"), "it is missing");
            continue;
        }
        let output = must(
            Command::new(program)
                .env("LC_ALL", "C.UTF-8")
                .args(options)
                .args(&files),
        );
        let said = if program == "mandoc" {
            output.stdout
        } else {
            output.stderr
        };
        assert_eq!(String::from_utf8(said).unwrap(), "");
    }
}

/// Writes the pages into a folder of a test.
fn pages(test: &str) -> PathBuf {
    let pages = folder(test).join("man3");
    must(
        Command::new(env!("CARGO"))
            .current_dir(ROOT)
            .args(["run", "--release", "--package", "ketama-man", "--"])
            .arg("include/ketama.h")
            .arg(&pages)
            .args([env!("CARGO_PKG_VERSION"), "2026-01-01"]),
    );
    pages
}

/// What a reader sees.
struct Page(String);

impl Page {
    fn rendered(file: &Path) -> Page {
        let output = must(
            Command::new("mandoc")
                .args(["-Tascii", "-Owidth=300"])
                .arg(file),
        );
        let text = String::from_utf8(output.stdout).unwrap();
        // A letter, a backspace and a letter is a letter in another font.
        let mut seen = String::new();
        for letter in text.chars() {
            if letter == '\u{8}' {
                seen.pop();
            } else {
                seen.push(letter);
            }
        }
        Page(seen)
    }

    /// The words of a section, with one space between; none if there is no such section.
    fn section(&self, title: &str) -> String {
        let lines = self.0.lines().skip_while(|line| *line != title).skip(1);
        let lines: Vec<&str> = lines
            .take_while(|line| line.is_empty() || line.starts_with(' '))
            .collect();
        words(&lines.join("\n"))
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}
