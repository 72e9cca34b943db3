//! Changes of a file, as they come.

mod common;

use common::{GROWN, ROOT, SERVERS, folder};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn watch(path: &Path, format: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_ketama"))
        .args(["watch", "--interval", "0.02", "--format", format, "-s"])
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Puts another file in its place, as an editor does.
fn replace(path: &Path, text: &[u8]) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(&new, path).unwrap();
}

#[test]
fn each_change_is_printed_until_it_is_interrupted() {
    let path = folder("watch").join("servers");
    let (old, grown) = [SERVERS, GROWN]
        .map(|file| fs::read(Path::new(ROOT).join(file)).unwrap())
        .into();
    fs::write(&path, &old).unwrap();
    let mut child = watch(&path, "csv");
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut errors = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    // From here on it looks.
    assert_eq!(lines.next().unwrap(), "time,from,to,share");
    replace(&path, &grown);
    let line = lines.next().unwrap();
    assert!(
        line.contains("Z,10.0.1.7:11211,10.0.1.9:11211,0.0"),
        "{line}"
    );
    replace(&path, b"a x\n");
    assert!(errors.next().unwrap().ends_with(
        "servers:1:3: expected a weight, in decimal digits and below 2^64; the ring stays as it was"
    ));
    replace(&path, b"one:1 1\n");
    assert!(lines.any(|line| line.contains(",one:1,")));

    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    assert_eq!(child.wait().unwrap().signal(), Some(2));
    assert!(errors.next().is_none());
}

#[test]
fn json_is_an_object_a_line() {
    let path = folder("watch_json").join("servers");
    fs::write(&path, "a:1 1\nb:2 1\n").unwrap();
    let mut child = watch(&path, "json");
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    // It says nothing before there is a change: change it until it has seen one.
    let (said, mut changes) = (std::sync::mpsc::channel(), 1);
    let reader = std::thread::spawn(move || {
        said.0.send(lines.next().unwrap()).unwrap();
    });
    let line = loop {
        changes += 1;
        replace(&path, format!("a:1 1\nb:2 {changes}\n").as_bytes());
        if let Ok(line) = said.1.recv_timeout(std::time::Duration::from_millis(100)) {
            break line;
        }
    };
    reader.join().unwrap();
    let change: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(change["time"].as_str().unwrap().ends_with('Z'));
    assert!(change["moved"].as_f64().unwrap() > 0.0);
    assert_eq!(change["moves"][0]["to"], "b:2");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_table_is_a_diff_with_its_time() {
    let path = folder("watch_table").join("servers");
    fs::write(&path, "a:1 1\nb:2 1\n").unwrap();
    let mut child = watch(&path, "table");
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let first = lines.next().unwrap();
    assert!(
        first.contains("Z  watching ") && first.ends_with("servers"),
        "{first}"
    );
    replace(&path, b"a:1 1\nb:2 3\n");
    assert!(lines.next().unwrap().is_empty());
    assert!(lines.next().unwrap().ends_with("Z  changed"));
    assert!(lines.any(|line| line.ends_with("of all positions move")));
    child.kill().unwrap();
    child.wait().unwrap();
}
