//! The programs of c_tests/ that check themselves, as they are and under valgrind; under sanitizers
//! where tests/sanitize.sh has built the library for one.

mod common;

use common::{Program, SERVERS, folder, has, must, not_run, sanitizer};
use std::fs;

/// What stays reachable at the end is the table of rolled files. Without partial loads a word that
/// begins in a block and ends behind it is reported. The fair scheduler lets every thread in; without
/// it one may run alone for long.
const MEMCHECK: &[&str] = &[
    "--partial-loads-ok=no",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite,indirect,possible",
    "--fair-sched=yes",
];
const HELGRIND: &[&str] = &["--tool=helgrind", "--fair-sched=yes"];

/// How often, where a sanitizer takes ten times as long.
fn times(usual: &'static str, under_a_sanitizer: &'static str) -> &'static str {
    match sanitizer() {
        None => usual,
        Some(_) => under_a_sanitizer,
    }
}

/// Runs a program under one of valgrind's tools, in a fresh folder.
fn under_valgrind(program: &Program, tool: &[&str], arguments: &[&str]) {
    let name = program.name();
    if sanitizer().is_some() {
        // valgrind cannot run what was compiled for one.
    } else if has("valgrind") {
        let folder = folder(&format!("{name}-valgrind"));
        must(
            program
                .under_valgrind(tool)
                .args(arguments)
                .current_dir(folder),
        );
    } else {
        not_run(&format!("{name} under valgrind"), "there is no valgrind");
    }
}

#[test]
fn structures_and_functions_are_the_originals_and_output_stays_in_order() {
    let folder = folder("abi");
    let program = Program::new(&folder, "abi.c");
    // Standard output is a pipe here, hence buffered: output by other means would come early.
    let output = must(program.command().arg(SERVERS)).stdout;
    let output = String::from_utf8(output).unwrap();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 3 + 1264);
    assert_eq!(
        lines[..2],
        ["the continuum follows", "Numpoints in continuum: 1264"]
    );
    assert_eq!(lines[3 + 1264 - 1], "that was it");
    assert!(lines[2].starts_with("10.0.1.") && lines[2].ends_with(')'));
    under_valgrind(&program, MEMCHECK, &[SERVERS]);
}

#[test]
fn a_cpp_program_reads_from_eight_threads() {
    if !has("c++") {
        return not_run("a C++ program", "there is no C++ compiler");
    }
    let folder = folder("threads");
    let second = folder.join("second.servers");
    fs::write(&second, "10.0.0.1:11211 10\n").unwrap();
    let program = Program::new(&folder, "threads.cpp");
    let second = second.to_str().unwrap();
    must(
        program
            .command()
            .args([SERVERS, second, times("20000", "2000")]),
    );
    for tool in [MEMCHECK, HELGRIND] {
        under_valgrind(&program, tool, &[SERVERS, second, "200"]);
    }
}

#[test]
fn the_library_can_be_closed_under_a_thread_that_used_it() {
    let folder = folder("dlopen");
    let program = Program::with_flags(&folder, "dlopen.c", &["-ldl"]);
    must(program.command().arg(SERVERS));
    under_valgrind(&program, MEMCHECK, &[SERVERS]);
}

#[test]
fn null_is_answered_by_every_function() {
    let folder = folder("null");
    let program = Program::new(&folder, "null.c");
    let output = must(program.command().arg(SERVERS)).stdout;
    let output = String::from_utf8(output).unwrap();
    let passed = output
        .lines()
        .filter(|line| line.starts_with("ok "))
        .count();
    assert_eq!(passed, 27, "{output}");
    under_valgrind(&program, MEMCHECK, &[SERVERS]);
}

#[test]
fn rings_of_lists_answer_and_refuse_as_the_header_says() {
    let folder = folder("ring");
    let program = Program::new(&folder, "ring.c");
    must(program.command().arg(SERVERS));
    under_valgrind(&program, MEMCHECK, &[SERVERS]);
}

#[test]
fn nothing_is_read_or_written_outside_of_what_is_passed_in() {
    let folder = folder("edges");
    let program = Program::new(&folder, "edges.c");
    for simd in ["scalar", "avx2", "avx512"] {
        must(program.command().env("KETAMA_SIMD", simd));
    }
    // valgrind 3.19 does not have AVX-512.
    under_valgrind(&program, MEMCHECK, &[]);
}

#[test]
fn rolls_follow_the_file() {
    let folder = folder("rolls");
    let program = Program::new(&folder, "rolls.c");
    must(program.command().current_dir(&folder));
    under_valgrind(&program, MEMCHECK, &[]);
}

#[test]
fn rolling_an_unchanged_file_costs_a_stat_and_an_allocation() {
    let folder = folder("unchanged");
    let program = Program::with_flags(&folder, "unchanged.c", &["-rdynamic", "-lketama", "-ldl"]);
    must(program.command().current_dir(&folder));
}

#[test]
fn failed_rolls_leak_nothing() {
    let folder = folder("failed_rolls");
    let program = Program::new(&folder, "failed_rolls.c");
    must(
        program
            .command()
            .arg(times("10000", "500"))
            .current_dir(&folder),
    );
    under_valgrind(&program, MEMCHECK, &["100"]);
}

#[test]
fn threads_look_up_while_others_roll_and_smoke() {
    let folder = folder("concurrent");
    let program = Program::new(&folder, "concurrent.c");
    must(
        program
            .command()
            .args([SERVERS, times("200000", "5000")])
            .current_dir(&folder),
    );
    for tool in [MEMCHECK, HELGRIND] {
        under_valgrind(&program, tool, &[SERVERS, "500"]);
    }
}

#[test]
fn children_of_a_fork_go_on() {
    let folder = folder("fork");
    let program = Program::with_flags(&folder, "fork.c", &["-rdynamic", "-lketama", "-ldl"]);
    must(
        program
            .command()
            .args([SERVERS, times("200", "20")])
            .current_dir(&folder),
    );
    // A child that finds the table of rolled files locked leaves it, which valgrind calls lost.
    let memcheck = ["--leak-check=no", "--fair-sched=yes"];
    under_valgrind(&program, &memcheck, &[SERVERS, "10"]);
}

#[test]
fn threads_may_be_cancelled() {
    let folder = folder("cancel");
    let program = Program::new(&folder, "cancel.c");
    must(program.command().arg("200").current_dir(&folder));
    for tool in [MEMCHECK, HELGRIND] {
        under_valgrind(&program, tool, &["10"]);
    }
}

#[test]
fn rings_of_every_dialect_answer_all_that_the_header_says() {
    let folder = folder("operations");
    let program = Program::with_flags(&folder, "operations.c", &["-lketama", "-lm"]);
    must(program.command().current_dir(&folder));
    under_valgrind(&program, MEMCHECK, &[]);
}

#[test]
fn a_watch_is_read_by_eight_threads_through_thousands_of_swaps() {
    let folder = folder("watch");
    let program = Program::new(&folder, "watch.c");
    must(
        program
            .command()
            .arg(times("3000", "100"))
            .current_dir(&folder),
    );
    // No helgrind: a watch's swaps are atomic operations, of which it knows nothing.
    under_valgrind(&program, MEMCHECK, &["20"]);
}

#[test]
fn the_cpp_interface_frees_what_it_holds_and_throws_what_fails() {
    if !has("c++") {
        return not_run("ketama.hpp", "there is no C++ compiler");
    }
    let folder = folder("wrapper");
    let program = Program::new(&folder, "wrapper.cpp");
    must(program.command().current_dir(&folder));
    under_valgrind(&program, MEMCHECK, &[]);
}
