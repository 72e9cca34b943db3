//! What each command answers, in each format.

mod common;

use common::{GROWN, SERVERS, ketama, stdout};

const SAMPLES: &str = "examples/samples.txt";
const AWKWARD: &str = "examples/awkward.servers";
const KEYS: &str = "examples/keys.txt";

/// The answer in each format, one behind the other.
fn answers(arguments: &str) -> String {
    let formats =
        ["table", "json", "csv"].map(|format| stdout(&format!("{arguments} --format {format}")));
    formats.join("\n")
}

#[test]
fn get() {
    insta::assert_snapshot!(answers(&format!(
        "get -s {SERVERS} user:1 user:2 a-longer-key é"
    )));
    insta::assert_snapshot!(
        "get_replicas",
        answers(&format!(
            "get -s {SERVERS} --replicas 3 --down 10.0.1.7:11211 user:1 user:2 user:3"
        ))
    );
    insta::assert_snapshot!(
        "get_list",
        stdout("get -s a:1=3,b:2 -d twemproxy user:1 user:2")
    );
}

#[test]
fn show() {
    insta::assert_snapshot!(answers(&format!("show -s {SERVERS} --keys {KEYS}")));
    // One without points, and one with weights that do not count.
    insta::assert_snapshot!("show_no_points", answers("show -s a:1=1000,b:2=1000,c:3=1"));
    insta::assert_snapshot!(
        "show_weightless",
        answers("show -s a:1=1000,b:2=1 -d spymemcached")
    );
}

#[test]
fn points_are_listed_as_the_library_prints_them() {
    let text = stdout(&format!("show --points -s {SERVERS}"));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Numpoints in continuum: 1264");
    assert_eq!(lines.len(), 1265);
    insta::assert_snapshot!(
        "points",
        answers("show --points -s a:1=1,b:2=1 -d libmemcached")
            .lines()
            .take(8)
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert_eq!(
        stdout(&format!("show --points -s {SERVERS} --format csv"))
            .lines()
            .count(),
        1265
    );
    let json: serde_json::Value = serde_json::from_str(&stdout(&format!(
        "show --points -s {SERVERS} --format json"
    )))
    .unwrap();
    assert_eq!(json["points"].as_array().unwrap().len(), 1264);
}

#[test]
fn diff() {
    insta::assert_snapshot!(answers(&format!("diff {SERVERS} {GROWN} --keys {KEYS}")));
    insta::assert_snapshot!("diff_same", answers(&format!("diff {SERVERS} {SERVERS}")));
    insta::assert_snapshot!(
        "diff_shrunk",
        answers(&format!("diff {GROWN} {SERVERS} --all"))
    );
    insta::assert_snapshot!(
        "diff_dialects",
        answers(&format!(
            "diff {SERVERS} {SERVERS} --new-dialect dalli --keys {KEYS}"
        ))
    );
    // The same hash of keys: shares are exact between these dialects too.
    insta::assert_snapshot!(
        "diff_one_hash",
        answers("diff a:1=1,b:2=2 a:1=1,b:2=2 --new-dialect npm_memcached")
    );
}

#[test]
fn moved_keys_are_listed() {
    let arguments = format!("diff {SERVERS} {GROWN} --keys {KEYS} --list");
    let list = stdout(&format!("{arguments} --format csv"));
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&format!("{arguments} --format json"))).unwrap();
    assert_eq!(
        json["moved_keys"].as_array().unwrap().len(),
        list.lines().count() - 1
    );
    assert_eq!(json["keys"]["moved"], list.lines().count() - 1);
    let table = stdout(&arguments);
    for line in list.lines().skip(1) {
        assert!(table.contains(&line.replace(',', "\t")), "{line}");
    }
}

#[test]
fn lint() {
    let answer = |format: &str| {
        let output = ketama(&format!("lint {AWKWARD} --format {format}"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    insta::assert_snapshot!(["table", "json", "csv"].map(answer).join("\n"));
    insta::assert_snapshot!("lint_clean", answers(&format!("lint {SERVERS}")));
}

#[test]
fn which() {
    insta::assert_snapshot!(answers(&format!("which -s {SERVERS} --samples {SAMPLES}")));
}

#[test]
fn which_says_what_it_cannot_tell() {
    let answer = |samples: &str| {
        let output = ketama("which --samples - -s a:11211=1,b:11211=1")
            .write_stdin(samples)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    // One key, on two servers: half of the samples are right at most.
    let samples = |strays: usize| "key b\n".repeat(strays) + &"key a\n".repeat(40 - strays);
    let none = answer(&samples(20));
    assert!(
        none.contains("leaves 20 of 40 samples: it is probably none of these"),
        "{none}"
    );
    let most = answer(&samples(1));
    assert!(
        most.contains("explains all but 1 of 40 samples: was a server down?"),
        "{most}"
    );
    let one = answer("user:1\ta\nuser 2  b:11211\r\n\nuser:3 elsewhere:11211\n");
    assert!(
        one.contains("1 more line name") && one.contains("line 4: elsewhere:11211"),
        "{one}"
    );
    assert!(one.contains("these samples cannot tell it from"), "{one}");
}

#[test]
fn bench() {
    let table = stdout(&format!("bench -s {SERVERS}"));
    assert!(
        table.contains("instructions ") && table.contains("many keys a call"),
        "{table}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&format!("bench -s {SERVERS} --format json"))).unwrap();
    for way in ["one", "many"] {
        assert!(
            json[way]["nanoseconds"].as_f64().unwrap() > 0.0
                && json[way]["per_second"].as_f64().unwrap() > 0.0
        );
    }
    assert_eq!(
        (&json["servers"], &json["points"], &json["key_bytes"]),
        (&8.into(), &1264.into(), &20.into())
    );
    let csv = ketama(&format!("bench -s {SERVERS} --format csv"))
        .env("KETAMA_SIMD", "scalar")
        .output()
        .unwrap();
    let rows = common::rows(&csv.stdout);
    assert_eq!(
        [&rows[0][0], &rows[1][0], &rows[0][3]],
        [&b"one"[..], b"many", b"scalar"]
    );
}

/// Shares of one ring sum to 1, and what servers gain and lose is what moves.
#[test]
fn the_numbers_of_a_diff_fit_together() {
    for (old, new, dialect) in [
        (SERVERS, GROWN, "libketama"),
        (GROWN, SERVERS, "hash_ring"),
        ("a:1=1,b:2=2,b:2=1", "b:2=3,c:3=1", "libmemcached_weighted"),
        ("a:1=5,b:2=2", "a:1=1,b:2=9,c:3=4", "nginx"),
        ("a:1=5,b:2=2", "a:1=1,b:2=9,c:3=4", "dalli"),
    ] {
        let text = stdout(&format!("diff {old} {new} -d {dialect} --format json"));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let number = |value: &serde_json::Value| value.as_f64().unwrap_or(0.0);
        let sum = |list: &str, field: &str| -> f64 {
            json[list]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| number(&one[field]))
                .sum()
        };
        for (sum, expected) in [
            (sum("moves", "share"), number(&json["moved"])),
            (sum("servers", "gives"), number(&json["moved"])),
            (sum("servers", "takes"), number(&json["moved"])),
            (sum("servers", "wanted_old"), 1.0),
            (sum("servers", "wanted_new"), 1.0),
            (sum("servers", "got_old"), 1.0),
            (sum("servers", "got_new"), 1.0),
        ] {
            assert!(
                (sum - expected).abs() < 1e-9,
                "{sum}, not {expected}: {text}"
            );
        }
        for server in json["servers"].as_array().unwrap() {
            let kept =
                number(&server["got_old"]) - number(&server["gives"]) + number(&server["takes"]);
            assert!((kept - number(&server["got_new"])).abs() < 1e-9, "{server}");
        }
        assert!(
            number(&json["least_got"]) <= number(&json["moved"]) + 1e-12,
            "{text}"
        );
    }
}
