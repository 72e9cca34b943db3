//! The programs of c_tests/ that check themselves.

mod common;

use common::{Program, SERVERS, folder, has, must, not_run};
use std::fs;

#[test]
fn structures_and_functions_are_the_originals_and_output_stays_in_order() {
    let program = Program::new(&folder("abi"), "abi.c");
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
    must(program.command().arg(SERVERS).arg(second));
}

#[test]
fn the_library_can_be_closed_under_a_thread_that_used_it() {
    let program = Program::with_flags(&folder("dlopen"), "dlopen.c", &["-ldl"]);
    must(program.command().arg(SERVERS));
}

#[test]
fn null_is_answered_by_every_function() {
    let program = Program::new(&folder("null"), "null.c");
    let output = must(program.command().arg(SERVERS)).stdout;
    let output = String::from_utf8(output).unwrap();
    let passed = output
        .lines()
        .filter(|line| line.starts_with("ok "))
        .count();
    assert_eq!(passed, 27, "{output}");
}

#[test]
fn rings_of_lists_answer_and_refuse_as_the_header_says() {
    let program = Program::new(&folder("ring"), "ring.c");
    must(program.command().arg(SERVERS));
}

#[test]
fn rolls_follow_the_file() {
    let folder = folder("rolls");
    let program = Program::new(&folder, "rolls.c");
    must(program.command().current_dir(&folder));
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
    must(program.command().arg("10000").current_dir(&folder));
    if !has("valgrind") {
        return not_run("failed rolls under valgrind", "there is no valgrind");
    }
    // What stays reachable at the end is the table of rolled files.
    let options = [
        "--leak-check=full",
        "--errors-for-leak-kinds=definite,indirect,possible",
        "--track-fds=no",
    ];
    must(
        program
            .under_valgrind(&options)
            .arg("100")
            .current_dir(&folder),
    );
}

#[test]
fn threads_look_up_while_others_roll_and_smoke() {
    let folder = folder("concurrent");
    let program = Program::new(&folder, "concurrent.c");
    must(
        program
            .command()
            .args([SERVERS, "200000"])
            .current_dir(&folder),
    );
    if !has("valgrind") {
        return not_run("threads under valgrind", "there is no valgrind");
    }
    // The fair scheduler lets every thread in; without it one may run alone for long.
    for tool in [
        &["--tool=memcheck", "--leak-check=full", "--fair-sched=yes"][..],
        &["--tool=helgrind", "--fair-sched=yes"],
    ] {
        must(
            program
                .under_valgrind(tool)
                .args([SERVERS, "500"])
                .current_dir(&folder),
        );
    }
}

#[test]
fn children_of_a_fork_go_on() {
    let folder = folder("fork");
    let program = Program::with_flags(&folder, "fork.c", &["-rdynamic", "-lketama", "-ldl"]);
    must(program.command().arg(SERVERS).current_dir(&folder));
}

#[test]
fn threads_may_be_cancelled() {
    let folder = folder("cancel");
    let program = Program::new(&folder, "cancel.c");
    must(program.command().current_dir(&folder));
}

#[test]
fn rings_of_every_dialect_answer_all_that_the_header_says() {
    let folder = folder("operations");
    let program = Program::with_flags(&folder, "operations.c", &["-lketama", "-lm"]);
    must(program.command().current_dir(&folder));
}

#[test]
fn a_watch_is_read_by_eight_threads_through_thousands_of_swaps() {
    let folder = folder("watch");
    let program = Program::new(&folder, "watch.c");
    must(program.command().arg("3000").current_dir(&folder));
    if !has("valgrind") {
        return not_run("a watch under valgrind", "there is no valgrind");
    }
    let options = ["--leak-check=full", "--fair-sched=yes"];
    must(
        program
            .under_valgrind(&options)
            .arg("50")
            .current_dir(&folder),
    );
}

#[test]
fn the_cpp_interface_frees_what_it_holds_and_throws_what_fails() {
    if !has("c++") {
        return not_run("ketama.hpp", "there is no C++ compiler");
    }
    let folder = folder("wrapper");
    let program = Program::new(&folder, "wrapper.cpp");
    must(program.command().current_dir(&folder));
    if !has("valgrind") {
        return not_run("ketama.hpp under valgrind", "there is no valgrind");
    }
    let options = ["--leak-check=full"];
    must(program.under_valgrind(&options).current_dir(&folder));
}
