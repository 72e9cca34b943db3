//! Writes inputs for the targets to begin with, made of what the tests have recorded.
//!
//! usage: seeds FOLDER

#[path = "../../tests/common/escapes.rs"]
mod escapes;

use escapes::unescape;
use std::fs;
use std::path::Path;

const DIALECTS: u8 = ketama::Dialect::ALL.len() as u8;

const FILES: &str = include_str!("../../tests/data/libketama-files.txt");
const RUNS: &str = include_str!("../../tests/data/dialects.txt");

/// The lengths of the longest name and of one that is too long.
const LONGEST: [usize; 2] = [1023, 1024];

/// A recorded run of a client.
#[derive(Default)]
struct Run<'a> {
    dialect: u8,
    servers: Vec<(u64, &'a str)>,
}

fn main() {
    let folder = std::env::args().nth(1).expect("usage: seeds FOLDER");
    let write = |target: &str, seeds: Vec<Vec<u8>>| {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(number.to_string()), seed).unwrap();
        }
    };
    let (runs, keys) = recorded();
    write("files", files(&runs));
    write("rings", rings(&runs, &keys));
    write("keys", self::keys(&keys));
    write("compare", compare(&runs));
}

fn recorded() -> (Vec<Run<'static>>, Vec<Vec<u8>>) {
    let (mut runs, mut keys): (Vec<Run>, _) = (Vec::new(), Vec::new());
    for line in RUNS.lines() {
        match line.split_once(' ') {
            Some(("key", text)) => keys.push(unescape(text)),
            Some(("case", text)) => {
                let name = text.split(' ').next().unwrap();
                let dialects = ketama::Dialect::ALL.iter();
                let dialect = dialects.map(|one| one.name()).position(|one| one == name);
                runs.push(Run {
                    dialect: dialect.unwrap() as u8,
                    servers: Vec::new(),
                });
            }
            Some(("server", text)) => {
                let (weight, name) = text.split_once(' ').unwrap();
                let server = (weight.parse().unwrap(), name);
                runs.last_mut().unwrap().servers.push(server);
            }
            _ => {}
        }
    }
    runs.retain(|run| run.servers.len() < 12);
    (runs, keys)
}

fn files(runs: &[Run]) -> Vec<Vec<u8>> {
    let recorded = FILES.lines().filter_map(|line| line.strip_prefix("file "));
    let recorded = recorded.zip(0u8..).map(|(text, number)| {
        let choice = (number % DIALECTS) | if number % 3 == 0 { 0x80 } else { 0 };
        [vec![choice], unescape(text)].concat()
    });
    let written = runs.iter().map(|run| {
        let lines = run
            .servers
            .iter()
            .map(|(weight, name)| format!("{name}\t{weight}\n"));
        [vec![run.dialect], lines.collect::<String>().into_bytes()].concat()
    });
    let long = LONGEST.map(|len| [&[0][..], &vec![b'x'; len], b" 1\n"].concat());
    let all = recorded.chain(written).chain(long);
    all.filter(|seed| seed.len() < 4096).collect()
}

fn rings(runs: &[Run], keys: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let each_instructions = [0, 0x10, 0x20].into_iter().cycle();
    for ((run, key), instructions) in runs.iter().zip(keys).zip(each_instructions) {
        let list = list(run);
        let (server, factor) = (b"\x64new:1\0", [16]);
        // On both sides of their bounds.
        let load: Vec<u8> = [20, 7, 1, 9]
            .into_iter()
            .cycle()
            .take(run.servers.len())
            .collect();
        let rest = [&list, &server[..], &factor, &load, key].concat();
        seeds.push([&[run.dialect | instructions], &rest[..]].concat());
        // Each of the rules changed, one a seed.
        if run.servers.len() == 3 {
            for field in 0..11 {
                let changes = [0x40 | run.dialect | instructions, 1, field, 1];
                seeds.push([&changes, &rest[..]].concat());
            }
        }
    }
    // Arguments that are NULL, and no dialect.
    let list = list(&runs[0]);
    seeds.extend((0..4).map(|which| [&[0x30, which, DIALECTS, 0, 0, 0], &list[..]].concat()));
    seeds.extend(LONGEST.map(|len| [&[0, 1, 1][..], &vec![b'x'; len], b"\0"].concat()));
    // Addresses as Java's clients have them.
    let java = &b"\x02\x01/10.0.0.1:11211\0\x01host/10.0.0.2:11211\0\x64new:1\0\x10\x07\x09key"[..];
    seeds.push([&[7], java].concat());
    // So many points that they are sorted in parts: 70,000 of each of 4 servers, one-at-a-time.
    let base = [4, 243, 0x70, 0x11, 0x01];
    seeds.push(
        [
            &[0x60 | 4, 1],
            &base[..],
            b"\x04\x01a\0\x01b\0\x01c:1\0\x01d\0",
        ]
        .concat(),
    );
    seeds
}

fn keys(keys: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for choice in 0..39u8 {
        // Keys that a byte separates, the last of which fall on points.
        let some = keys.iter().skip(usize::from(choice)).step_by(60).cloned();
        let on_points = [
            &b"10.0.0.7:11211-0"[..],
            b"0:1-3",
            b"one:1-0",
            b"0\x001\0\0\0\0",
        ];
        let some: Vec<_> = some.chain(on_points.map(Vec::from)).collect();
        let text = some.join(&b'\n');
        seeds.push([&[choice, 0, b'\n'], &text[..]].concat());
        // As many as several groups have, of lengths about those at which blocks end.
        let lens = [(0, 1), (20, 1), (50, 30), (110, 30), (0, 300)];
        let (least, more) = lens[usize::from(choice) % lens.len()];
        let pattern = [250u16, least, more, 7].map(u16::to_le_bytes);
        seeds.push([&[choice, 1], &pattern.concat()[..], &text].concat());
    }
    seeds
}

fn compare(runs: &[Run]) -> Vec<Vec<u8>> {
    let seed = |run: &Run| {
        let list = list(run);
        let extra = b"\x01\x64new:1\0";
        let dialects = [run.dialect, run.dialect, 0, 0];
        [&dialects, &list[..], &[2, 0, 0, 0], extra].concat()
    };
    runs.iter().map(seed).collect()
}

/// A list of servers as the targets read it.
fn list(run: &Run) -> Vec<u8> {
    let mut list = vec![run.servers.len() as u8];
    for &(weight, name) in &run.servers {
        match weight {
            0..240 => list.push(weight as u8),
            _ => {
                list.push(248);
                list.extend(weight.to_le_bytes());
            }
        }
        list.extend(name.as_bytes());
        list.push(0);
    }
    list
}
