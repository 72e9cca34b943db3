//! What libketama is known to fail at: each done by a program that this library must get through,
//! and how the original fails in the same program. Left out are rolls in several threads and a
//! process killed while rolling: it fails them at random, and the front to it (tests/reference/) is
//! for one thread of one process.

mod common;

use common::{
    Program, assert_nothing_left_behind, folder, not_run, output_with, reference, system_v_key,
};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

#[test]
fn servers_118() {
    works("118_servers");
    the_original("118_servers", crashes);
}

#[test]
fn leftover_lock() {
    works("leftover_lock");
    the_original("leftover_lock", still_waits);
}

#[test]
fn smoke_of_one_of_two_continua() {
    works("smoke_of_one_of_two");
    the_original("smoke_of_one_of_two", crashes);
}

#[test]
fn concurrent_rolls() {
    works("concurrent_rolls");
}

#[test]
fn a_process_killed_while_rolling() {
    works("a_process_killed_while_rolling");
}

#[test]
fn descriptor_leak_on_a_bad_file() {
    works("descriptor_leak_on_a_bad_file");
    the_original("descriptor_leak_on_a_bad_file", |output| {
        says(output, "descriptors() == before")
    });
}

#[test]
fn a_directory_as_file() {
    works("a_directory_as_file");
    the_original("a_directory_as_file", still_waits);
}

/// Two files of one System V key: it hands out the one's ring for the other.
#[test]
fn ftok_collision() {
    works("ftok_collision");
    the_original("ftok_collision", |output| says(output, "is_other(two)"));
}

#[test]
fn another_users_file() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return not_run("another user's file", "only root can be another user");
    }
    works("another_users_file");
    the_original("another_users_file", |output| {
        says(output, "error: Can't open shmmem for writing")
    });
}

fn crashes(output: &Output) -> bool {
    output.status.signal() == Some(libc::SIGSEGV)
}

/// Until an alarm.
fn still_waits(output: &Output) -> bool {
    output.status.signal() == Some(libc::SIGALRM)
}

/// Whether a check of the program failed with this text.
fn says(output: &Output, text: &str) -> bool {
    output.status.code() == Some(1) && String::from_utf8_lossy(&output.stderr).contains(text)
}

fn works(failure: &str) {
    let folder = folder(&format!("known_{failure}"));
    let program = Program::new(&folder, "known_failures.c");
    let mut command = program.command();
    let output = output_with(command.args([failure, "60"]).current_dir(&folder), b"");
    if output.status.code() == Some(77) {
        return not_run(failure, "no two files in /dev/shm have one System V key");
    }
    assert!(output.status.success(), "{output:?}");
}

/// Runs the same with the original, and removes what that leaves behind.
fn the_original(failure: &str, fails: impl Fn(&Output) -> bool) {
    let Some(reference) = reference() else {
        let why = "KETAMA_REFERENCE names no original (make test builds one)";
        return not_run(&format!("{failure} with the original"), why);
    };
    for attempt in 1.. {
        // Other files, where another program's System V object was in the way.
        let folder = folder(&format!("known_{failure}_{attempt}"));
        let program = Program::new(&folder, "known_failures.c");
        let mut command = program.command_with(&reference);
        let output = output_with(command.args([failure, "3"]).current_dir(&folder), b"");
        if output.status.code() == Some(75) {
            continue;
        }
        for path in ["file", "other", "."].map(|name| folder.join(name)) {
            if path.exists() {
                // One of the two may never have been made.
                for option in ["-M", "-S"] {
                    let key = system_v_key(&path).to_string();
                    Command::new("ipcrm").args([option, &key]).output().unwrap();
                }
                assert_nothing_left_behind(&path);
            }
        }
        assert!(fails(&output), "the original: {output:?}");
        return;
    }
}
