//! Server definition files that the original was given, each through `ketama_roll` in a process of its own.

mod common;

use common::{Program, folder, hex, must_with, unescape};
use md5::{Digest, Md5};
use std::fs;

#[derive(Default)]
struct Case {
    name: String,
    file: Vec<u8>,
    /// The error text, or the count and MD5 of the points; `None` where the original had no answer.
    outcome: Option<Result<(String, String), Vec<u8>>>,
    is_accepted: bool,
    lookups: Vec<(String, Vec<u8>)>,
}

#[test]
fn every_recorded_file_gives_what_the_original_made_of_it() {
    let (keys, cases) = recorded();
    assert_eq!((keys.len(), cases.len()), (10, 244));
    let folder = folder("recorded");
    let dump = Program::new(&folder, "dump.c");
    let path = folder.join("FILE");
    let input = keys.join(&b'\n');
    for case in cases {
        fs::write(&path, &case.file).unwrap();
        // By its name alone, so that error texts name it as the recorded ones do.
        let output = must_with(dump.command().arg("FILE").current_dir(&folder), &input);
        if let Some(difference) = difference(&case, &keys, &output.stdout) {
            panic!("{}: {difference}", case.name);
        }
    }
}

fn difference(case: &Case, keys: &[Vec<u8>], output: &[u8]) -> Option<String> {
    let mut lines = output.split(|&byte| byte == b'\n');
    let mut field = |name: &str| {
        let line = lines.next().unwrap_or_default();
        let field = line.strip_prefix(name.as_bytes());
        field
            .unwrap_or_else(|| panic!("{}: no line {name}", case.name))
            .to_vec()
    };
    let rolled = field("rolled ");
    let error = field("error ");
    let count: usize = String::from_utf8(field("points "))
        .unwrap()
        .parse()
        .unwrap();
    let rest: Vec<&[u8]> = lines.collect();
    let (points, rest) = rest.split_at(count);

    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if rolled != [if case.is_accepted { b'1' } else { b'0' }] {
        return Some(format!(
            "returned {}, error {}",
            text(&rolled),
            text(&error)
        ));
    }
    if !case.is_accepted && (count > 0 || error.is_empty()) {
        return Some(format!(
            "refused with {count} points, error {}",
            text(&error)
        ));
    }
    if let Some(Err(expected)) = &case.outcome {
        // The original lost what stands before the line's number.
        let is_lost = expected.starts_with(b" (line ");
        let is_same = if is_lost {
            error.ends_with(expected) && error.len() > expected.len()
        } else {
            error == *expected
        };
        if !is_same {
            return Some(format!("error {}, not {}", text(&error), text(expected)));
        }
    }
    if let Some(Ok((expected_count, expected_md5))) = &case.outcome {
        let mut md5 = Md5::new();
        for point in points {
            md5.update(point);
            md5.update(b"\n");
        }
        let md5 = hex(&md5.finalize());
        if (&count.to_string(), &md5) != (expected_count, expected_md5) {
            return Some(format!("{count} points with MD5 {md5}"));
        }
    }
    for (i, (point, ip)) in case.lookups.iter().enumerate() {
        let expected = [b" ", point.as_bytes(), b" ", ip].concat();
        if !rest[i].ends_with(&expected) {
            return Some(format!(
                "key {}: {}, not{}",
                text(&keys[i]),
                text(rest[i]),
                text(&expected)
            ));
        }
    }
    None
}

fn recorded() -> (Vec<Vec<u8>>, Vec<Case>) {
    let mut keys = Vec::new();
    let mut cases: Vec<Case> = Vec::new();
    for line in include_str!("data/libketama-files.txt").lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" | "#" => continue,
            "key" => {
                keys.push(unescape(rest));
                continue;
            }
            "case" => {
                cases.push(Case {
                    name: rest.into(),
                    ..Case::default()
                });
                continue;
            }
            _ => {}
        }
        let case = cases.last_mut().unwrap();
        match word {
            "file" => case.file = unescape(rest),
            "equal" => {
                for i in 0..rest.parse().unwrap() {
                    let line = format!("10.1.{}.{}:11211\t100\n", i / 256, i % 256);
                    case.file.extend_from_slice(line.as_bytes());
                }
            }
            "refused" if rest != "?" => case.outcome = Some(Err(unescape(rest))),
            "refused" => {}
            "accepted" => {
                case.is_accepted = true;
                case.outcome = rest
                    .split_once(' ')
                    .map(|(count, md5)| Ok((count.into(), md5.into())));
            }
            "lookups" => {
                let fields: Vec<&str> = rest.split(' ').collect();
                case.lookups = fields
                    .chunks(2)
                    .map(|pair| (pair[0].into(), unescape(pair[1])))
                    .collect();
            }
            _ => panic!("{line}"),
        }
    }
    (keys, cases)
}
