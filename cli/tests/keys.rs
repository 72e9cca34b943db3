//! Keys from standard input: many, odd ones, and nobody who reads the answers.

mod common;

use common::{SERVERS, ketama, rows};
use ketama::{Dialect, Ring};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

fn ring() -> Ring {
    Ring::from_file(format!("{}/{SERVERS}", common::ROOT), Dialect::Libketama).unwrap()
}

/// The answer for a key as CSV, which needs no quotes here.
fn line(ring: &Ring, points: &[u32], key: &[u8]) -> Vec<u8> {
    let point = ring.find_point(key);
    let server = &ring.servers()[ring.find(key)].name;
    [
        key,
        format!(",{},{},", ring.hash(key), points[point]).as_bytes(),
        server,
        b"\n",
    ]
    .concat()
}

#[test]
fn a_million_keys_go_where_the_library_sends_them() {
    let keys: Vec<String> = (0..1_000_000)
        .map(|key| format!("user:{key}:{}", "x".repeat(key % 90)))
        .collect();
    let output = ketama("get --format csv -s")
        .arg(SERVERS)
        .write_stdin(keys.join("\n"))
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    let ring = ring();
    let points: Vec<u32> = ring.points().map(|point| point.point).collect();
    let mut expected = b"key,position,point,server\n".to_vec();
    for key in &keys {
        expected.extend(line(&ring, &points, key.as_bytes()));
    }
    assert!(
        output.stdout == expected,
        "the answers differ from the library's"
    );

    let mut moved = ketama("diff --format json --keys -");
    moved
        .args([SERVERS, common::GROWN])
        .write_stdin(keys.join("\n"));
    let moved: serde_json::Value = serde_json::from_slice(&moved.output().unwrap().stdout).unwrap();
    let grown = Ring::from_file(
        format!("{}/{}", common::ROOT, common::GROWN),
        Dialect::Libketama,
    )
    .unwrap();
    let owner = |ring: &Ring, key: &String| ring.servers()[ring.find(key)].name.clone();
    let count = keys
        .iter()
        .filter(|key| owner(&ring, key) != owner(&grown, key))
        .count();
    assert_eq!(moved["keys"]["moved"], count);
    assert_eq!(moved["keys"]["total"], 1_000_000);
    let exact = ring.compare(&grown).unwrap().moved;
    assert!((moved["moved"].as_f64().unwrap() - exact).abs() < 1e-12);
}

#[test]
fn keys_are_bytes() {
    let ring = ring();
    let points: Vec<u32> = ring.points().map(|point| point.point).collect();
    let long = [b'k'; 1_000_000];
    let keys: [&[u8]; 8] = [
        b"a",
        b"",
        b"carriage return\r",
        b"\xff\xfe no UTF-8",
        b" spaces ",
        "é".as_bytes(),
        &long,
        b"last",
    ];
    // With a newline behind the last and without, from a file and from arguments.
    for end in [&b"\n"[..], b""] {
        let input = [&keys.join(&b'\n'), end].concat();
        let output = ketama("get --format csv -s")
            .arg(SERVERS)
            .write_stdin(&*input)
            .output()
            .unwrap();
        let rows = rows(&output.stdout);
        assert_eq!(rows.len(), keys.len());
        for (row, key) in rows.iter().zip(keys) {
            assert_eq!(row[0], key);
            assert!(line(&ring, &points, key).ends_with(&[b",", &*row[3], b"\n"].concat()));
        }
    }
    let table = ketama("get -s")
        .arg(SERVERS)
        .write_stdin(&b"\xff\xfe\r\n"[..])
        .output()
        .unwrap();
    assert!(
        table
            .stdout
            .windows(4)
            .any(|bytes| bytes == b"\n\xff\xfe\r")
    );
    let json = ketama("get --format json -s")
        .arg(SERVERS)
        .write_stdin(&b"\xff\xfe\n"[..])
        .output()
        .unwrap();
    assert!(
        json.stdout
            .starts_with(b"{\"key_base64\":\"//4=\",\"position\":"),
        "{json:?}"
    );

    let null = ketama("get -0 --format csv -s")
        .arg(SERVERS)
        .write_stdin(&b"two\nlines\0x"[..])
        .output()
        .unwrap();
    let keys: Vec<Vec<u8>> = common::rows(&null.stdout)
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(keys, [&b"two\nlines"[..], b"x"]);
    let nothing = ketama("get --format csv -s")
        .arg(SERVERS)
        .write_stdin("")
        .output()
        .unwrap();
    assert_eq!(nothing.stdout, b"key,position,point,server\n");
}

/// Servers of every dialect that are down, and replicas, as the library's own walk has them.
#[test]
fn failover_and_replicas_follow_the_walk() {
    let keys: Vec<String> = (0..500).map(|key| format!("key:{key}")).collect();
    let down = ["10.0.1.5:11211", "10.0.1.7:11211"];
    for &dialect in Dialect::ALL {
        let ring = Ring::from_file(format!("{}/{SERVERS}", common::ROOT), dialect).unwrap();
        let is_down = |server: usize| {
            down.iter()
                .any(|name| *ring.servers()[server].name == *name.as_bytes())
        };
        let name = |server: usize| ring.servers()[server].name.to_vec();
        let mut command = ketama("get --replicas 3 --format csv -s");
        command.args([
            SERVERS,
            "-d",
            dialect.name(),
            "--down",
            down[0],
            "--down",
            down[1],
        ]);
        let rows = rows(
            &command
                .write_stdin(keys.join("\n"))
                .output()
                .unwrap()
                .stdout,
        );
        for (row, key) in rows.iter().zip(&keys) {
            let up: Vec<Vec<u8>> = ring
                .walk(key.as_bytes())
                .filter(|&server| !is_down(server))
                .map(name)
                .collect();
            assert_eq!(row[3..6], up[..3], "{dialect}: {key}");
            let own = ring.find(key);
            let instead_of = if is_down(own) { name(own) } else { Vec::new() };
            assert_eq!(row[6], instead_of, "{dialect}: {key}");
            let point: u32 = String::from_utf8(row[2].clone()).unwrap().parse().unwrap();
            let is_owner =
                |at: ketama::Point| at.point == point && name(at.server as usize) == row[3];
            assert!(ring.points().any(is_owner), "{dialect}: {key}");
        }
        assert_eq!(rows.len(), keys.len());
    }
}

#[test]
fn a_closed_output_ends_it_quietly() {
    for format in ["table", "json", "csv"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ketama"))
            .current_dir(common::ROOT)
            .args(["get", "-s", SERVERS, "--format", format])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || {
            // It fails as soon as nobody reads.
            while stdin
                .write_all(&b"some key or other\n".repeat(1000))
                .is_ok()
            {}
        });
        let mut first = [0; 100];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full");
    let full = full.expect("Linux has /dev/full");
    let output = Command::new(env!("CARGO_BIN_EXE_ketama"))
        .args(["show", "-s", "a:1,b:2"])
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(common::complaint(output, 2).contains("cannot write the output"));
}
