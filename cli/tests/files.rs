//! The awkward files that were given to the original: what lint says of them, and what it makes of them.

mod common;

use common::{ROOT, complaint, folder, ketama, unescape};
use ketama::libketama::pieces;
use ketama::{Dialect, Ring, Server};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

fn recorded() -> Vec<(&'static str, Vec<u8>)> {
    let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
    for line in include_str!("../../tests/data/libketama-files.txt").lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "case" => files.push((rest, Vec::new())),
            "file" => files.last_mut().unwrap().1 = unescape(rest),
            "equal" => {
                let file = &mut files.last_mut().unwrap().1;
                for i in 0..rest.parse().unwrap() {
                    writeln!(file, "10.1.{}.{}:11211\t100", i / 256, i % 256).unwrap();
                }
            }
            _ => {}
        }
    }
    files
}

/// The servers as libketama reads them; `None` where it refuses the file.
fn lenient(text: &[u8]) -> Option<Vec<Server>> {
    let servers: Result<Vec<Server>, String> = pieces(text)
        .filter_map(|piece| piece.read.transpose())
        .collect();
    servers.ok().filter(|servers| Ring::new(servers).is_ok())
}

/// The servers as the strict reader reads them.
fn strict(text: &[u8]) -> Option<Vec<Server>> {
    let ring = Ring::from_text(text, Dialect::Libketama.rules()).ok()?;
    Some(ring.servers().to_vec())
}

/// What lint says of a file: its findings, as JSON.
fn lint(path: &Path, arguments: &str) -> Vec<Value> {
    let output = ketama("lint --format json")
        .args(arguments.split_whitespace())
        .arg(path)
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let findings = answer["findings"].as_array().unwrap().clone();
    assert_eq!(
        output.status.code(),
        Some(i32::from(!findings.is_empty())),
        "{output:?}"
    );
    for finding in &findings {
        assert!(
            ["what", "libketama_reads", "fix"]
                .iter()
                .all(|field| !finding[field].as_str().unwrap().is_empty())
        );
        assert!(finding["line"].as_u64().unwrap() > 0 && finding["column"].as_u64().unwrap() > 0);
    }
    findings
}

fn is_misread(findings: &[Value]) -> bool {
    findings.iter().any(|finding| finding["is_misread"] == true)
}

#[test]
fn what_lint_calls_clean_is_read_the_same_by_both_readers() {
    let files = recorded();
    assert_eq!(files.len(), 244);
    let folder = folder("lint");
    let (mut clean, mut mended) = (0, Vec::new());
    for (name, text) in files {
        let (is_clean, new) = check(&folder, name, &text);
        clean += usize::from(is_clean);
        mended.extend(new.map(|new| (name, new)));
    }
    // So many of them, or the recorded files are not what they were.
    assert!(
        clean > 50 && mended.len() > clean,
        "{clean} clean, {} then",
        mended.len()
    );
    the_original_reads_them_as_they_are_meant(&folder, &mended);
}

#[test]
fn damaged_files_are_read_the_same_too_where_lint_calls_them_clean() {
    let files = recorded();
    let folder = folder("damaged");
    let bytes = b" \t\r\n\x0b#0159a\0\xff\xef";
    // SplitMix64, so that each run has the same files.
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    };
    for round in 0..300 {
        let (name, mut text) = files[random(files.len())].clone();
        for _ in 0..=random(3) {
            let at = random(text.len() + 1);
            match random(3) {
                0 => text.insert(at, bytes[random(bytes.len())]),
                1 => text.truncate(at),
                _ if at < text.len() => drop(text.remove(at)),
                _ => {}
            }
        }
        check(&folder, &format!("{round}, {name}"), &text);
    }
}

/// Checks what lint says of a file, and what it makes of it. Whether it is clean, and the mended file
/// where both readers mean the same.
fn check(folder: &Path, name: &str, text: &[u8]) -> (bool, Option<Vec<u8>>) {
    let (path, fixed) = (folder.join("servers"), folder.join("fixed"));
    fs::write(&path, text).unwrap();
    let findings = lint(&path, "");
    let is_clean = !is_misread(&findings);
    assert_eq!(
        is_clean,
        strict(text).is_some() && lenient(text) == strict(text),
        "{name}: {findings:?}"
    );

    let left = lint(&path, &format!("--fix --output {}", fixed.display()));
    let new = fs::read(&fixed).unwrap();
    assert_eq!(left, lint(&fixed, ""), "{name}");
    if let Some(meant) = strict(text) {
        assert_eq!(strict(&new), Some(meant), "{name}");
    }
    if is_misread(&left) {
        return (is_clean, None);
    }
    assert_eq!(lenient(&new), strict(&new), "{name}");
    assert!(!new.contains(&b'\r'), "{name}");
    (is_clean, Some(new))
}

fn the_original_reads_them_as_they_are_meant(folder: &Path, files: &[(&str, Vec<u8>)]) {
    let reference = std::env::var_os("KETAMA_REFERENCE").filter(|path| !path.is_empty());
    let Some(reference) = reference.map(PathBuf::from) else {
        println!("not run: KETAMA_REFERENCE names no original (make test builds one)");
        if let Some(notes) = std::env::var_os("KETAMA_NOT_RUN") {
            let mut notes = File::options()
                .append(true)
                .create(true)
                .open(notes)
                .unwrap();
            writeln!(
                notes,
                "mended files against the original: KETAMA_REFERENCE names none"
            )
            .unwrap();
        }
        return;
    };
    for name in ["libketama.so", "libketama.so.1"] {
        symlink(&reference, folder.join(name)).unwrap();
    }
    let dump = folder.join("dump");
    let compiled = Command::new("cc")
        .args(["-std=c99", "-O1", "-o"])
        .arg(&dump)
        .arg(Path::new(ROOT).join("c_tests/dump.c"))
        .arg(format!("-I{ROOT}/include"))
        .arg(format!("-L{}", folder.display()))
        .arg("-lketama")
        .status();
    assert!(compiled.unwrap().success());
    let mut run = 0;
    for (number, (name, text)) in files.iter().enumerate() {
        let ring = Ring::from_text(text, Dialect::Libketama.rules()).unwrap();
        if ring.servers().len() > 117 || ring.servers().iter().any(|server| server.name.len() > 21)
        {
            continue;
        }
        let path = folder.join(format!("{number}.servers"));
        fs::write(&path, text).unwrap();
        // It would trust a leftover segment of a file with the same time.
        let mtime = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + 97 * number as u64);
        File::open(&path).unwrap().set_modified(mtime).unwrap();
        let output = Command::new(&dump)
            .arg(&path)
            .env("LD_LIBRARY_PATH", folder)
            .output()
            .unwrap();
        // Another program's System V object is in its way.
        if output.status.code() == Some(75) {
            continue;
        }
        let points = ring.points().map(|point| {
            let name = &ring.servers()[point.server as usize].name;
            [point.point.to_string().as_bytes(), b" ", name, b"\n"].concat()
        });
        let expected = [
            format!("rolled 1\nerror \npoints {}\n", ring.points().len()).into_bytes(),
            points.collect::<Vec<_>>().concat(),
        ];
        assert!(
            output.stdout == expected.concat(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        run += 1;
    }
    println!("{run} mended files are read by the original as they are meant");
    assert!(run > 50, "{run}");
}

#[test]
fn each_rule_is_found_where_it_is_broken() {
    let long = "x".repeat(120);
    let cases: &[(&str, &str, u64, u64, &str)] = &[
        ("no-newline", "a 100\nb 200", 2, 6, "b with weight 20"),
        ("no-newline", "a 100\n# end", 2, 6, "as it is meant"),
        ("after-weight", "a 100 # half\n", 1, 6, "a with weight 10"),
        ("after-weight", "a 100 more\n", 1, 6, "a with weight 10"),
        ("after-weight", "a 100\t\n", 1, 6, "a with weight 10"),
        ("after-weight", "a 100 \r\n", 1, 6, "a with weight 10"),
        ("crlf", "a 100\nb 100\r\n", 2, 6, "in spite of"),
        (
            "blank-line",
            "a 100\r\n\r\n",
            2,
            1,
            "refuses the whole file",
        ),
        (
            "indented-comment",
            "a 100\n\t# x\n",
            2,
            2,
            "refuses the whole file",
        ),
        (
            "indented-comment",
            "a 100\n #b 50\n",
            2,
            2,
            "#b with weight 50",
        ),
        ("blank-line", "a 100\n \n", 2, 1, "refuses the whole file"),
        (
            "long-line",
            &format!("# {long} a bb 100\nb 1\n"),
            1,
            127,
            "with weight 100",
        ),
        (
            "long-line",
            &format!("# {long}     \nb 1\n"),
            1,
            127,
            "refuses the whole file",
        ),
        (
            "long-line",
            &format!("# {long}yyyy\nb 1\n"),
            1,
            127,
            "several lines",
        ),
        (
            "long-name",
            "a-name-of-23-bytes-here 100\n",
            1,
            1,
            "22 bytes",
        ),
        (
            "long-name",
            "a-name-of-24-bytes-here! 100\n",
            1,
            1,
            "refuses",
        ),
        (
            "byte-order-mark",
            "\u{feff}a 100\n",
            1,
            1,
            "\u{feff}a with weight 100",
        ),
        (
            "byte-order-mark",
            "a 1\n\u{feff}b 100\n",
            2,
            1,
            "\u{feff}b with weight 100",
        ),
        ("nul", "a\0b 100\n", 1, 2, "nothing"),
        ("white-space", "a\u{b}100\n", 1, 1, "refuses"),
        ("weight", "a\n", 1, 2, "refuses"),
        ("weight", "a 0\n", 1, 3, "refuses"),
        ("weight", "a -5\n", 1, 3, "18446744073709551611"),
        ("weight", "a 1.5\n", 1, 3, "weight 1"),
        ("weight", "a +7\n", 1, 3, "weight 7"),
        ("weight", "a 9223372036854775808\n", 1, 3, "refuses"),
        (
            "weight-sum",
            "a 9223372036854775807\nb 9223372036854775807\nc 2\n",
            3,
            1,
            "crash",
        ),
        ("no-servers", "# none\n", 1, 1, "refuses"),
        ("no-servers", "", 1, 1, "refuses"),
        ("duplicate", "a 1\nb 1\na 1\n", 3, 1, "another server"),
        ("no-points", "a 100\nb 1\n", 2, 1, "weight 1 of 101"),
    ];
    let path = folder("rules").join("servers");
    for &(rule, text, line, column, reads) in cases {
        fs::write(&path, text).unwrap();
        let findings = lint(&path, "");
        let found = findings.iter().find(|finding| finding["rule"] == rule);
        let found = found.unwrap_or_else(|| panic!("{rule}: {text:?}: {findings:?}"));
        assert_eq!(
            (&found["line"], &found["column"]),
            (&line.into(), &column.into()),
            "{rule}: {text:?}"
        );
        assert!(
            found["libketama_reads"].as_str().unwrap().contains(reads),
            "{found}"
        );
    }
    for (count, rule) in [(61, "uneven-points"), (118, "too-many")] {
        let text: String = (0..count)
            .map(|server| format!("10.0.0.{server} 100\n"))
            .collect();
        fs::write(&path, text).unwrap();
        let findings = lint(&path, "");
        assert_eq!(findings[0]["rule"], rule, "{findings:?}");
        assert_eq!(lint(&path, &format!("--allow {rule}")), [Value::Null; 0]);
    }
}

#[test]
fn a_fix_is_written_whole_and_once() {
    let folder = folder("fix");
    let (path, link) = (folder.join("servers"), folder.join("link"));
    fs::copy(Path::new(ROOT).join("examples/awkward.servers"), &path).unwrap();
    symlink(&path, &link).unwrap();
    let output = ketama("lint --fix").arg(&link).output().unwrap();
    // A duplicate, and a server without points, are for a person to settle.
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!("fixed", fs::read_to_string(&path).unwrap());
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    ketama("lint --fix --allow duplicate,no-points")
        .arg(&link)
        .assert()
        .code(0);
    ketama("lint --fix -o")
        .arg(folder.join("none/x"))
        .arg(&path)
        .assert()
        .code(2);
}

#[test]
fn a_misread_file_is_warned_of_wherever_it_is_used() {
    let text = fs::read_to_string(Path::new(ROOT).join("examples/awkward.servers")).unwrap();
    for arguments in [
        "get -s - key",
        "show -s -",
        "bench -s -",
        "diff - examples/ketama.servers",
        "plot -s - -o -",
    ] {
        let output = ketama(arguments).write_stdin(&*text).output().unwrap();
        assert!(
            complaint(output, 0).contains("run `ketama lint -`"),
            "{arguments}"
        );
        let dalli = format!("{arguments} -d dalli");
        ketama(&dalli)
            .write_stdin(&*text)
            .assert()
            .code(0)
            .stderr("");
    }
}

#[test]
fn a_pipe_that_takes_a_fix_stays_one() {
    let pipe = folder("pipe").join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::read_to_string(pipe).unwrap())
    };
    ketama("lint --fix examples/awkward.servers -o")
        .arg(&pipe)
        .assert()
        .code(1);
    assert!(reader.join().unwrap().contains("10.0.1.2:11211\t300\n"));
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn a_file_of_several_names_is_mended_under_all() {
    let folder = folder("names");
    let [one, other] = ["one", "other"].map(|name| folder.join(name));
    fs::write(&one, "10.0.0.1:11211 10").unwrap();
    fs::hard_link(&one, &other).unwrap();
    ketama("lint --fix").arg(&one).assert().code(0);
    assert_eq!(fs::read(&other).unwrap(), b"10.0.0.1:11211\t10\n");
}
