//! include/ketama.h is what the documentation and signatures of src/capi/ say, and the library exports what it
//! declares.
//!
//! `make header` runs the first test with KETAMA_WRITE_HEADER set, and so rewrites it.

mod common;

use common::{ROOT, built_library, compiler, folder, has, must, not_run};
use ketama::Dialect;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

const END: &str = "
#ifdef __cplusplus
}
#endif

#endif
";

#[test]
fn the_header_is_up_to_date() {
    let root = Path::new(ROOT);
    let mut header = fs::read_to_string(root.join("src/capi/preamble.h")).unwrap();
    for part in ["ring", "lookup", "rules", "watch", "libketama"] {
        let source = root.join(format!("src/capi/{part}.rs"));
        header += &title(&source);
        header += &declarations(root, &source);
    }
    header += END;

    let path = root.join("include/ketama.h");
    if std::env::var_os("KETAMA_WRITE_HEADER").is_some() {
        fs::write(&path, &header).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == header,
        "include/ketama.h is stale: run `make header` and commit it"
    );
}

/// The documentation at the head of a source file, as a C comment.
fn title(source: &Path) -> String {
    let source = fs::read_to_string(source).unwrap();
    let mut comment = "\n/*\n".to_owned();
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        writeln!(comment, " *{line}").unwrap();
    }
    comment + " */\n"
}

fn declarations(root: &Path, source: &Path) -> String {
    let mut text = Vec::new();
    cbindgen::Builder::new()
        .with_config(cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap())
        .with_src(source)
        .generate()
        .unwrap()
        .write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn every_dialect_has_a_constant() {
    let header = fs::read_to_string(Path::new(ROOT).join("include/ketama.h")).unwrap();
    for (number, dialect) in Dialect::ALL.iter().enumerate() {
        let constant = format!("KETAMA_{} = {number},", dialect.name().to_uppercase());
        assert!(header.contains(&constant), "{constant}");
    }
}

#[test]
fn the_headers_compile_in_every_standard_with_gcc_and_clang() {
    let folder = folder("header");
    let alone = |file: &str| {
        let source = folder.join(file);
        fs::write(&source, "#include <ketama.h>\n".repeat(2)).unwrap();
        source
    };
    let c = alone("alone.c");
    let cpp = alone("alone.cpp");
    // It uses all of ketama.hpp, which wants C++17.
    let wrapper = Path::new(ROOT).join("c_tests/wrapper.cpp");
    for (compilers, source, standards) in [
        (["gcc", "clang"], &c, &["c99", "c11", "c17", "c2x"][..]),
        (
            ["g++", "clang++"],
            &cpp,
            &["c++11", "c++14", "c++17", "c++20", "c++2b"],
        ),
        (["g++", "clang++"], &wrapper, &["c++17", "c++20", "c++2b"]),
    ] {
        for compiler in compilers {
            if !has(compiler) {
                not_run(&format!("headers with {compiler}"), "it is missing");
                continue;
            }
            for standard in standards {
                must(
                    Command::new(compiler)
                        .arg(format!("-std={standard}"))
                        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"])
                        .arg("-I")
                        .arg(Path::new(ROOT).join("include"))
                        .arg(source),
                );
            }
        }
    }
}

#[test]
fn the_headers_example_runs() {
    let header = fs::read_to_string(Path::new(ROOT).join("include/ketama.h")).unwrap();
    let example = header
        .lines()
        .skip_while(|line| !line.ends_with("A complete program:"))
        .skip(2)
        .map_while(|line| line.strip_prefix(" *"))
        .take_while(|line| line.is_empty() || line.starts_with("     "));
    assert_eq!(run_example("header_example", example), "10.0.1.1:11211\n");
}

#[test]
fn the_readmes_example_runs() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let example = readme
        .lines()
        .skip_while(|line| *line != "```c")
        .skip(1)
        .take_while(|line| *line != "```");
    assert_eq!(run_example("readme_example", example), "10.0.1.7:11211\n");
}

/// Compiles these lines of C, and runs the program in the project's folder.
fn run_example<'a>(name: &str, lines: impl Iterator<Item = &'a str>) -> String {
    let folder = folder(name);
    let source = folder.join("example.c");
    fs::write(
        &source,
        lines.fold(String::new(), |text, line| text + line + "\n"),
    )
    .unwrap();
    let executable = folder.join("example");
    must(
        compiler(&source, "c99")
            .arg("-I")
            .arg(Path::new(ROOT).join("include"))
            .arg(built_library())
            .arg("-o")
            .arg(&executable),
    );
    symlink(built_library(), folder.join("libketama.so.1")).unwrap();
    let mut command = Command::new(executable);
    let output = must(command.env("LD_LIBRARY_PATH", &folder).current_dir(ROOT));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_library_exports_what_the_header_declares() {
    let committed = include_str!("data/symbols.txt");
    let nm = must(
        Command::new("nm")
            .args(["-D", "--defined-only"])
            .arg(built_library()),
    )
    .stdout;
    let mut exported: Vec<String> = String::from_utf8(nm)
        .unwrap()
        .lines()
        .map(|line| line.split_once(' ').unwrap().1.to_owned())
        .collect();
    exported.sort();
    let listed: Vec<String> = committed.lines().map(|name| format!("T {name}")).collect();
    assert_eq!(exported, listed);

    // A declaration stands at the beginning of a line, and its name before the first parenthesis.
    let header = fs::read_to_string(Path::new(ROOT).join("include/ketama.h")).unwrap();
    let mut declared: Vec<&str> = header
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_once('('))
        .map(|(before, _)| before.rsplit([' ', '*']).next().unwrap())
        .filter(|name| name.starts_with("ketama_"))
        .collect();
    declared.sort();
    assert_eq!(declared, committed.lines().collect::<Vec<_>>());
}

#[test]
fn the_library_has_the_originals_soname_and_stays_loaded() {
    let readelf = must(
        Command::new("readelf")
            .args(["-d", "-W"])
            .arg(built_library()),
    )
    .stdout;
    let dynamic = String::from_utf8(readelf).unwrap();
    assert!(dynamic.contains("soname: [libketama.so.1]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}
