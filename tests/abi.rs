//! The library and its header keep the binary interface of 1.0, described in tests/data/abi: by the
//! debug information of the library itself, and of a C library that has the header's functions.
//! The second knows the names that C has for numbers; the first, what is behind them.
//!
//! `make abi` runs these tests with KETAMA_WRITE_ABI set, and so describes it anew.

mod common;

use common::{ROOT, folder, has, must, not_run, output_with};
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_library_keeps_its_abi() {
    if !can_compare("the library's binary interface") {
        return;
    }
    // Not optimised: else functions that do the same become one, and lose their descriptions.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    must(
        Command::new(env!("CARGO"))
            .current_dir(ROOT)
            .args(["rustc", "--lib", "--crate-type=cdylib", "--target-dir"])
            .arg(target)
            .args(["--", "-Ccodegen-units=1"]),
    );
    compare("library", &target.join("debug/libketama.so"), &[], &[]);
}

/// Each processor lays structures out by the size and alignment of its numbers.
#[test]
fn layouts_are_those_of_1_0_on_processors_of_32_and_64_bits() {
    let compile = |compiler: &str, machine: &[&str]| {
        must(
            Command::new(compiler)
                .args(machine)
                .args(["-std=c11", "-ffreestanding", "-fsyntax-only"])
                .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"])
                .arg(Path::new(ROOT).join("include"))
                .arg(Path::new(ROOT).join("c_tests/layout.c")),
        );
    };
    compile("cc", &[]);
    if cfg!(target_arch = "x86_64") {
        compile("cc", &["-m32"]);
    }
    if !has("clang") {
        return not_run("layouts on other processors", "there is no clang");
    }
    for target in [
        "aarch64-linux-gnu",
        "arm-linux-gnueabihf",
        "i686-linux-gnu",
        "powerpc-linux-gnu",
        "powerpc64le-linux-gnu",
        "riscv32-linux-gnu",
        "riscv64-linux-gnu",
        "s390x-linux-gnu",
        "x86_64-linux-gnu",
        "x86_64-linux-gnux32",
    ] {
        compile("clang", &["-target", target]);
    }
}

#[test]
fn the_header_keeps_its_abi() {
    if !can_compare("the header's binary interface") {
        return;
    }
    let folder = folder("stubs");
    let header = fs::read_to_string(Path::new(ROOT).join("include/ketama.h")).unwrap();
    let mut source = "#include <ketama.h>\n".to_owned();
    let mut lines = header.lines();
    while let Some(line) = lines.next() {
        // A declaration of a function stands at the beginning of a line.
        if !line.starts_with(|c: char| c.is_ascii_lowercase())
            || line.starts_with("typedef")
            || !line.contains('(')
        {
            continue;
        }
        source += line;
        while !source.ends_with(";") {
            source += lines.next().unwrap();
        }
        source.pop();
        source += " { __builtin_trap(); }\n";
    }
    let file = folder.join("header.c");
    fs::write(&file, source).unwrap();
    let library = folder.join("libketama.so.1");
    must(
        Command::new("cc")
            // Freestanding: the compiler's own <stdint.h>, not that of the C library of this machine.
            .args([
                "-g",
                "-std=c99",
                "-ffreestanding",
                "-fno-eliminate-unused-debug-types",
            ])
            .args(["-shared", "-fPIC", "-Wl,-soname,libketama.so.1", "-I"])
            .arg(Path::new(ROOT).join("include"))
            .arg(&file)
            .arg("-o")
            .arg(&library),
    );
    // The rules' enums, too, which no function takes.
    compare(
        "header",
        &library,
        &["--load-all-types"],
        &["--non-reachable-types"],
    );
}

/// Whether a description can be compared here; notes it if not.
fn can_compare(test: &str) -> bool {
    if !cfg!(target_arch = "x86_64") {
        not_run(test, "it is described for x86-64 only");
    } else if !has("abidiff") {
        not_run(test, "there is no abidiff");
    } else {
        return true;
    }
    false
}

/// Compares a library with its description of 1.0, or makes that anew.
fn compare(name: &str, library: &Path, describe: &[&str], differ: &[&str]) {
    let data = Path::new(ROOT).join("tests/data/abi");
    let described = must(
        Command::new("abidw")
            .args(["--no-corpus-path", "--no-comp-dir-path", "--no-show-locs"])
            .args(["--no-elf-needed", "--suppressions"])
            .arg(data.join("internals.ini"))
            .args(describe)
            .arg(library),
    );
    let description = of_what_c_sees(&String::from_utf8(described.stdout).unwrap());
    let file = format!("{name}.abi");
    let committed = data.join(&file);
    if std::env::var_os("KETAMA_WRITE_ABI").is_some() {
        fs::write(&committed, &description).unwrap();
    }
    let present = folder(&format!("abi_of_{name}")).join(&file);
    fs::write(&present, &description).unwrap();
    let difference = output_with(
        Command::new("abidiff")
            .arg("--harmless")
            .args(differ)
            .args([&committed, &present]),
        b"",
    );
    assert!(
        difference.status.success() && difference.stdout.is_empty(),
        "the binary interface is not that of {}; where it has only grown, run `make abi` and commit \
         it\n{}{}",
        committed.display(),
        String::from_utf8_lossy(&difference.stdout),
        String::from_utf8_lossy(&difference.stderr)
    );
}

/// A description without the source files, those of which nothing is described, and what is inside
/// structures that C has only pointers to.
fn of_what_c_sees(description: &str) -> String {
    let is_opaque = |line: &str| {
        let name = line.trim_start().strip_prefix("<class-decl name='");
        name.is_some_and(|name| {
            name.starts_with("ketama_ring'") || name.starts_with("ketama_watch'")
        })
    };
    let mut kept: Vec<String> = Vec::new();
    let mut lines = description.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "</abi-instr>" && kept.last().unwrap().contains("<abi-instr ") {
            kept.pop();
        } else if is_opaque(line) {
            if !line.ends_with("/>") {
                let indent = line.len() - line.trim_start().len();
                let end = " ".repeat(indent) + "</class-decl>";
                lines.find(|line| *line == end);
            }
            let begin = line.trim_end_matches(['/', '>']);
            kept.push(with_attribute(begin, "size-in-bits", "0") + "/>");
        } else {
            kept.push(with_attribute(line, "path", "ketama"));
        }
    }
    kept.join("\n") + "\n"
}

/// A line with another value of an attribute, if it has that.
fn with_attribute(line: &str, name: &str, value: &str) -> String {
    let begin = format!(" {name}='");
    let Some((before, rest)) = line.split_once(&begin) else {
        return line.to_owned();
    };
    let (_, after) = rest.split_once('\'').unwrap();
    format!("{before}{begin}{value}'{after}")
}
