//! What a library in somebody's server meets: no memory, files that are none, and files that change.

mod common;

use common::{Program, available_memory, folder, must, not_run, report};
use std::path::Path;
use std::process::Command;

#[test]
fn what_is_no_file_or_changes_is_an_error_or_a_whole_answer() {
    let folder = folder("faults");
    report_all(faults(&folder).command().current_dir(&folder));
}

#[test]
fn files_of_1_gb_are_read() {
    let (has, wants) = (available_memory(), 2 << 30);
    if has < wants {
        let why = format!("it wants {wants} bytes of memory, and {has} are available");
        return not_run("files of 1 GB", &why);
    }
    let folder = folder("large");
    report_all(faults(&folder).command().arg("large").current_dir(&folder));
}

#[test]
fn an_allocation_that_fails_is_an_error_or_ends_the_program() {
    let folder = folder("out_of_memory");
    let flags = ["-rdynamic", "-lketama"];
    let program = Program::with_flags(&folder, "out_of_memory.c", &flags);
    report_all(program.command().current_dir(&folder));
}

fn faults(folder: &Path) -> Program {
    Program::with_flags(folder, "faults.c", &["-rdynamic", "-lketama", "-ldl"])
}

/// Runs a program that prints what it did.
fn report_all(command: &mut Command) {
    let output = String::from_utf8(must(command).stdout).unwrap();
    output.lines().for_each(report);
}
