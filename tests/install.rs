//! `make install`, and programs built with nothing but what pkg-config says.

mod common;

use common::{ROOT, folder, has, must, not_run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

#[test]
fn an_installed_library_builds_and_runs_programs() {
    if !has("pkg-config") {
        return not_run("make install", "there is no pkg-config");
    }
    let folder = folder("install");
    let root = folder.join("root");
    build();
    make(&["install"], &root, "/usr/lib/here");
    let lib = root.join("usr/lib/here");
    let (pages, others): (Vec<String>, Vec<String>) = installed(&root)
        .into_iter()
        .partition(|file| file.starts_with("usr/share/man/man3/"));
    for function in include_str!("data/symbols.txt").lines() {
        assert!(pages.contains(&format!("usr/share/man/man3/{function}.3")));
    }
    assert_eq!(
        others,
        [
            "usr/bin/ketama",
            "usr/include/ketama.h",
            "usr/include/ketama.hpp",
            "usr/lib/here/cmake/ketama/ketamaConfig.cmake",
            "usr/lib/here/cmake/ketama/ketamaConfigVersion.cmake",
            "usr/lib/here/libketama.a",
            "usr/lib/here/libketama.so",
            "usr/lib/here/libketama.so.1",
            "usr/lib/here/libketama.so.1.0.0",
            "usr/lib/here/pkgconfig/ketama.pc",
            "usr/share/bash-completion/completions/ketama",
            "usr/share/fish/vendor_completions.d/ketama.fish",
            "usr/share/man/man1/ketama-bench.1",
            "usr/share/man/man1/ketama-diff.1",
            "usr/share/man/man1/ketama-get.1",
            "usr/share/man/man1/ketama-lint.1",
            "usr/share/man/man1/ketama-plot.1",
            "usr/share/man/man1/ketama-show.1",
            "usr/share/man/man1/ketama-watch.1",
            "usr/share/man/man1/ketama-which.1",
            "usr/share/man/man1/ketama.1",
            "usr/share/zsh/site-functions/_ketama",
        ]
    );
    assert_eq!(
        fs::read_link(lib.join("libketama.so.1")).unwrap(),
        Path::new("libketama.so.1.0.0")
    );

    let command = must(Command::new(root.join("usr/bin/ketama")).arg("--version"));
    assert_eq!(command.stdout, b"ketama 1.0.0\n");
    assert_eq!(pkg_config(&root, &["--modversion"]), ["1.0.0"]);
    let shared = program(
        &folder,
        "shared",
        &pkg_config(&root, &["--cflags", "--libs"]),
    );
    let output = must(lookup(&shared).env("LD_LIBRARY_PATH", &lib));
    let elsewhere = lookup(&shared).env("LD_LIBRARY_PATH", &folder).output();
    assert!(
        !elsewhere.unwrap().status.success(),
        "it ran another library"
    );

    let mut flags = pkg_config(&root, &["--static", "--cflags", "--libs"]);
    flags.push("-static".into());
    let alone = program(&folder, "static", &flags);
    let alone = must(lookup(&alone).env("LD_LIBRARY_PATH", &folder));
    assert_eq!(alone.stdout, output.stdout);

    make(&["uninstall"], &root, "/usr/lib/here");
    assert_eq!(installed(&root), [""; 0]);
}

#[test]
fn an_installed_library_that_was_moved_serves_cmake() {
    if !has("cmake") {
        return not_run("CMake", "there is no cmake");
    }
    let folder = folder("cmake");
    let root = folder.join("root");
    build();
    make(&["install"], &root, "/usr/lib");
    let moved = folder.join("moved");
    fs::rename(root, &moved).unwrap();
    let build = folder.join("build");
    must(
        Command::new("cmake")
            .arg("-S")
            .arg(Path::new(ROOT).join("tests/cmake"))
            .arg("-B")
            .arg(&build)
            .arg(format!("-DCMAKE_PREFIX_PATH={}/usr", moved.display())),
    );
    must(Command::new("cmake").arg("--build").arg(&build));
    // The folder of the library is in the program that was linked to it; cargo's is not to help.
    let mut shared = lookup(&build.join("shared"));
    shared.env_remove("LD_LIBRARY_PATH");
    let output = must(&mut shared);
    fs::remove_file(moved.join("usr/lib/libketama.so.1")).unwrap();
    assert!(!shared.output().unwrap().status.success());
    let alone = must(lookup(&build.join("static")).env_remove("LD_LIBRARY_PATH"));
    assert_eq!(alone.stdout, output.stdout);
}

/// Builds what is installed, once.
fn build() {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| make(&["all"], Path::new("/"), "/usr/lib"));
}

fn make(goals: &[&str], root: &Path, libdir: &str) {
    must(
        Command::new("make")
            .current_dir(ROOT)
            // Not the options of the make that runs the tests.
            .env_remove("MAKEFLAGS")
            .args(goals)
            .args(["PREFIX=/usr", &format!("LIBDIR={libdir}")])
            .arg(format!("DESTDIR={}", root.display())),
    );
}

/// The files below a folder, sorted.
fn installed(root: &Path) -> Vec<String> {
    let output = must(
        Command::new("find")
            .args([".", "!", "-type", "d"])
            .current_dir(root),
    );
    let mut files: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.trim_start_matches("./").to_owned())
        .collect();
    files.sort();
    files
}

fn pkg_config(root: &Path, options: &[&str]) -> Vec<String> {
    let output = must(
        Command::new("pkg-config")
            .env("PKG_CONFIG_LIBDIR", root.join("usr/lib/here/pkgconfig"))
            .env("PKG_CONFIG_SYSROOT_DIR", root)
            .args(options)
            .arg("ketama"),
    );
    let output = String::from_utf8(output.stdout).unwrap();
    output.split_whitespace().map(str::to_owned).collect()
}

fn program(folder: &Path, name: &str, flags: &[String]) -> PathBuf {
    let executable = folder.join(name);
    must(
        Command::new("cc")
            .arg(Path::new(ROOT).join("examples/lookup.c"))
            .args(flags)
            .arg("-o")
            .arg(&executable),
    );
    executable
}

fn lookup(executable: &Path) -> Command {
    let mut command = Command::new(executable);
    command
        .args(["examples/ketama.servers", "examples/keys.txt"])
        .current_dir(ROOT);
    command
}
