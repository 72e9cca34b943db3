//! How it ends, what it says where it cannot, and colours.

mod common;

use common::{GROWN, SERVERS, complaint, folder, ketama, stdout};
use std::fs;
use std::path::Path;

#[test]
fn bad_news_is_status_1() {
    ketama(&format!("diff {SERVERS} {GROWN} --max-moved 50"))
        .assert()
        .code(0);
    ketama(&format!("diff {SERVERS} {GROWN} --max-moved 5%"))
        .assert()
        .code(1);
    ketama(&format!("diff {SERVERS} {SERVERS} --max-moved 0"))
        .assert()
        .code(0);
    ketama(&format!(
        "diff {SERVERS} {SERVERS} --new-dialect dalli --keys examples/keys.txt --max-moved 50"
    ))
    .assert()
    .code(1);
    ketama(&format!("lint {SERVERS}")).assert().code(0);
    ketama("lint examples/awkward.servers").assert().code(1);
}

#[test]
fn what_it_cannot_do_is_one_line_and_status_2() {
    let folder = folder("status");
    let bad = folder.join("bad");
    fs::write(&bad, "a 1\nb x\n").unwrap();
    let bad = bad.to_str().unwrap();
    let zero = folder.join("zero");
    fs::write(&zero, "a 1\nb 0\n").unwrap();
    let zero = zero.to_str().unwrap();
    let large = folder.join("large");
    fs::write(&large, "a 18446744073709551615\nb 1\n").unwrap();
    let large = large.to_str().unwrap();
    let empty = folder.join("empty");
    fs::write(&empty, "# none\n").unwrap();
    let empty = empty.to_str().unwrap();
    let here = folder.to_str().unwrap();
    for (arguments, expected) in [
        ("got", "unrecognized subcommand"),
        ("get", "--servers <FILE|LIST>"),
        ("get --nope", "unexpected argument"),
        ("get -s a:1 -d nope key", "invalid value 'nope'"),
        ("get -s a:1,b:2 --replicas 0 key", "0 is not in"),
        ("get -s missing key", "missing: no such file, nor a list"),
        ("get -s missing.servers=x key", "nor a list"),
        ("get -s a:1=1,,b:2=1 key", "nor a list"),
        ("get -s a:1=0,b:2=1 key", "the weight of a:1 is 0"),
        (
            "get -s a:1=1,b:2=99999999999 -d nginx key",
            "with b:2 the ring has",
        ),
        ("get -s a=18446744073709551615,b=1 key", "with b the sum"),
        (
            &format!("get -s {}=1 key", "x".repeat(1024)),
            "longer than 1023 bytes",
        ),
        ("get -s a:1,b:2 --down c:3 key", "such as a:1"),
        (
            "get -s a:1,b:2 --down a:1 --down b:2 key",
            "no server is left",
        ),
        ("get -s -", "standard input, which can be read once"),
        (
            "show -s a:1=1,b:2=1 --keys missing",
            "missing: cannot read it",
        ),
        ("diff a:1 b:2 --new-dialect nginx", "different hashes"),
        ("diff a:1 b:2 --list", "--keys <FILE>"),
        ("diff a:1 b:2 --max-moved 101", "from 0 to 100"),
        ("lint missing", "missing: cannot read it"),
        ("lint missing -o x", "--fix"),
        (
            "which -s a:1,b:2 --samples missing",
            "missing: cannot read it",
        ),
        ("which -s a:1,b:2 --samples /dev/null", "no samples"),
        ("plot -s a:1,b:2", "--output <FILE>"),
        ("plot -s a:1,b:2 -o ring.gif", "ends with .svg or .png"),
        (
            "plot -s a:1,b:2 -o missing/ring.svg",
            "missing/ring.svg: cannot write it",
        ),
        ("plot a:1,b:2 -o -", "2 values required"),
        (
            "plot a:1,b:2 a:1 -d libketama --new-dialect dalli -o -",
            "different hashes",
        ),
        ("watch -s missing", "missing: cannot read it"),
        (
            "watch -s examples/ketama.servers --interval 0",
            "0.01 to 86400",
        ),
        ("generate /dev/null/x", "/dev/null/x"),
        (&format!("get -s {large} key"), "with b the sum"),
        (&format!("get -s {bad} key"), "bad:2:3: expected a weight"),
        (
            &format!("get -s {zero} key"),
            "zero:2:3: expected a weight of at least 1",
        ),
        (
            &format!("get -s {empty} key"),
            "empty: there is no server in it",
        ),
        (&format!("get -s {here} key"), "Is a directory"),
    ] {
        let output = ketama(arguments).write_stdin("").output().unwrap();
        assert!(output.stdout.is_empty(), "{arguments}: {output:?}");
        let text = complaint(output, 2);
        assert!(text.contains(expected), "{arguments}: {text}");
    }
    let output = ketama("which -s a:1,b:2 --samples -")
        .write_stdin("k a:1\nword\n")
        .output()
        .unwrap();
    assert!(complaint(output, 2).contains("-:2:1: expected a key"));
    let output = ketama("which -s a:1,b:2 --samples -")
        .write_stdin("k c:3\n")
        .output()
        .unwrap();
    assert!(complaint(output, 2).contains("-:1: a:1,b:2 has no server c:3"));
}

#[test]
fn help_and_version_are_no_errors() {
    assert_eq!(stdout("--version"), "ketama 1.0.0\n");
    for command in [
        "", "get", "show", "diff", "lint", "which", "plot", "watch", "bench",
    ] {
        let help = stdout(&format!("{command} --help"));
        assert!(help.contains("Usage: ketama"), "{help}");
    }
    assert!(!stdout("--help").contains("generate"));
    // Who gives nothing is shown what there is to give.
    let output = ketama("").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("Usage: ketama")
    );
}

#[test]
fn colours_are_for_terminals_alone() {
    let show = "show -s a:1=1000,b:2=1";
    assert!(!stdout(show).contains('\x1b'));
    assert!(stdout(&format!("{show} --color always")).contains('\x1b'));
    let output = |variable: &str| {
        let output = ketama(show)
            .env("CLICOLOR_FORCE", "1")
            .env(variable, "1")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(output("TERM_PROGRAM").contains('\x1b'));
    assert!(!output("NO_COLOR").contains('\x1b'));
    assert!(!stdout(&format!("{show} --color never")).contains('\x1b'));
    // The same but for the colours.
    let coloured = stdout(&format!("{show} --color always"));
    let stripped = anstream::adapter::strip_str(&coloured).to_string();
    assert_eq!(stripped, stdout(show));
}

/// On a terminal: `script` makes one.
#[test]
fn a_bar_shows_how_far_long_work_is() {
    let run = |pause: &str| {
        let keys = "sh -c 'yes key | head -n 50000'";
        let get = format!(
            "{} get -s {SERVERS} >/dev/null",
            env!("CARGO_BIN_EXE_ketama")
        );
        let line = format!("({keys}; sleep {pause}; {keys}) | {get}");
        let mut script = std::process::Command::new("script");
        script
            .args(["-qec", &line, "/dev/null"])
            .current_dir(common::ROOT);
        script
            .stdin(std::process::Stdio::null())
            .output()
            .map(|output| output.stdout)
    };
    let Ok(long) = run("1.2") else {
        return println!("not run: there is no script(1)");
    };
    let long = String::from_utf8_lossy(&long);
    assert!(long.contains("KiB read"), "{long}");
    assert_eq!(String::from_utf8_lossy(&run("0").unwrap()), "");
}

#[test]
fn names_do_not_reach_the_terminal_as_commands() {
    let path = folder("control").join("servers");
    fs::write(&path, b"\x1b[31mred:1 10\n\xff\xfe:2 10\n").unwrap();
    let output = ketama("show -s").arg(&path).output().unwrap();
    assert!(!output.stdout.contains(&0x1b), "{output:?}");
    let json = ketama("show --format json -s").arg(&path).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["servers"][0]["server"], "\u{1b}[31mred:1");
    assert_eq!(json["servers"][1]["server_base64"], "//46Mg==");
}

#[test]
fn man_pages_and_completions_are_whole() {
    let folder = folder("generate");
    ketama("generate").arg(&folder).assert().code(0).stdout("");
    let page = fs::read_to_string(folder.join("man/man1/ketama-diff.1")).unwrap();
    assert!(
        page.contains("max\\-moved") && page.contains(".TH"),
        "{page}"
    );
    for file in [
        "bash-completion/completions/ketama",
        "zsh/site-functions/_ketama",
        "fish/vendor_completions.d/ketama.fish",
    ] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        assert!(
            text.contains("libmemcached_weighted") && text.contains("max-moved"),
            "{file}"
        );
        assert!(!text.contains("generate"), "{file}");
    }
}

#[test]
fn just_the_limit_may_move() {
    // Of 100 keys 7 move, whose share is 7.000000000000001 percent in floating point.
    let folder = folder("limit");
    let all = folder.join("all");
    let candidates: String = (0..1000).map(|i| format!("key:{i}\n")).collect();
    fs::write(&all, candidates).unwrap();
    let with_keys = |path: &Path, more: &str| {
        let mut command = ketama("diff a:1,b:1 a:1,b:1 --new-dialect dalli --keys");
        command.arg(path).args(more.split_whitespace());
        command
    };
    let listed = with_keys(&all, "--list --format json").output().unwrap();
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let moved = listed["moved_keys"].as_array().expect("the keys that move");
    let moved: Vec<&str> = moved
        .iter()
        .map(|key| key["key"].as_str().unwrap())
        .collect();
    let stay = (0..1000).map(|i| format!("key:{i}"));
    let stay = stay.filter(|key| !moved.contains(&key.as_str())).take(93);
    let keys: Vec<String> = moved[..7]
        .iter()
        .map(|&key| key.to_owned())
        .chain(stay)
        .collect();
    let chosen = folder.join("chosen");
    fs::write(&chosen, keys.join("\n")).unwrap();
    with_keys(&chosen, "--max-moved 7").assert().code(0);
    with_keys(&chosen, "--max-moved 6.9").assert().code(1);

    // No keys say nothing.
    let none = folder.join("none");
    fs::write(&none, "").unwrap();
    let output = with_keys(&none, "--max-moved 0").output().unwrap();
    assert!(complaint(output, 2).contains("there is no key in it"));
}
