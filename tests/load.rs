//! The library under load: everything at random by eight threads, and a file that 64 processes roll
//! while it is rewritten.

mod common;

use common::{Program, folder, must, report, seed};
use std::sync::Mutex;

/// One at a time, so that neither has half of the processors.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn eight_threads_do_everything_for_60_seconds_and_leave_nothing() {
    run("load", "60");
}

#[test]
fn sixty_four_processes_roll_what_is_rewritten_a_thousand_times() {
    run("processes", "1000");
}

/// Runs a program with how long and the seed, which it prints.
fn run(name: &str, argument: &str) {
    let folder = folder(name);
    let flags = ["-rdynamic", "-lketama"];
    let program = Program::with_flags(&folder, &format!("{name}.c"), &flags);
    let _alone = ALONE.lock();
    let mut command = program.command();
    let command = command.args([argument, &seed().to_string()]);
    let output = must(command.current_dir(&folder)).stdout;
    report(String::from_utf8(output).unwrap().trim_end());
}
