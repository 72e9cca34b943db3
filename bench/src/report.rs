//! The report in Markdown.

use crate::clock::Nanoseconds;
use crate::contenders::libraries::Simd;
use crate::dialects::{Cost, LEVEL};
use crate::goals::{Bound, Goal};
use crate::memory::Memory;
use crate::peers::{Peers, Row, Table};
use crate::plan::Plan;
use std::fmt::Write;
use std::fs;
use std::process::Command;

/// All that was found out.
pub struct Report<'a> {
    pub plan: &'a Plan,
    pub version: String,
    pub goals: Vec<Goal>,
    pub peers: Peers,
    pub dialects: Vec<Cost>,
    pub memory: Vec<Memory>,
    /// The names of contenders, and what they are.
    pub about: Vec<(String, String)>,
    /// Contenders that could not be had, and why.
    pub missing: Vec<(String, String)>,
}

impl Report<'_> {
    pub fn markdown(&self) -> String {
        [
            self.head(),
            self.goals(),
            self.lookups(),
            self.building(),
            self.dialects(),
            self.memory(),
            self.contenders(),
        ]
        .join("\n")
    }

    fn head(&self) -> String {
        format!(
            "# Benchmark

`make bench` writes this folder; `make bench-quick` prints a shorter run.

| | |
|---|---|
| processor | {} |
| bulk lookups use | {} |
| this library | {}, {} |
| the C compiler, of the original too | {} |

Times are CPU times of the thread that computes, medians of rounds in which everyone takes a turn on
the same servers and keys, each round beginning with another. Ratios are medians of the rounds'
ratios: 2.00x is twice as fast. Times vary with what else a machine does, ratios less. A turn finds
in the caches what those before it have left there. Before anything is timed, the answers of all
who follow rules that this library has are compared with its own.
",
            processor(),
            Simd::best().text(),
            self.version,
            first_line("rustc", &["-V"]),
            first_line("cc", &["--version"]),
        )
    }

    fn goals(&self) -> String {
        let mut text = format!(
            "## Goals

The reference is the original in the same rounds, where nothing else is said. Lookups: {} keys of 20
bytes; {} where they stay in cache, having been looked up just before; {} of 100 to 200 bytes.
Rolls read a file that was just written with new servers. Dialects count as level within {:.0}%.

| | servers | reference | ours | reached | goal | stretch | |
|---|---:|---:|---:|---:|---:|---:|---|
",
            thousands(self.plan.keys),
            thousands(self.plan.cached_keys),
            thousands(self.plan.long_keys),
            (LEVEL - 1.0) * 100.0,
        );
        for goal in &self.goals {
            let (theirs, ours) = match goal.times {
                Some((theirs, ours)) => (duration(theirs), duration(ours)),
                None => Default::default(),
            };
            let bound = match goal.bound {
                Bound::AtLeast => "≥",
                Bound::AtMost => "≤",
            };
            let value = |value: f64| format!("{value:.2}{}", goal.unit);
            let limit = |value: f64| format!("{bound} {value}{}", goal.unit);
            let reached = goal.reached.map(value).unwrap_or_default();
            let stretch = goal.stretch.map(limit).unwrap_or_default();
            let (what, servers) = (&goal.what, &goal.servers);
            let (limit, verdict) = (limit(goal.goal), goal.verdict());
            writeln!(
                text,
                "| {what} | {servers} | {theirs} | {ours} | {reached} | {limit} | {stretch} | {verdict} |"
            )
            .unwrap();
        }
        text
    }

    fn lookups(&self) -> String {
        let mut text = format!(
            "## Lookups

Time a key, and how many times faster that is than libketama, ported where it crashes. {} keys a
round; {} in the runtimes of other languages.
",
            thousands(self.plan.peer_keys),
            thousands(self.plan.runtime_keys),
        );
        for (index, (kind, tables)) in self.peers.lookups.iter().enumerate() {
            let name = kind.name();
            let plot = plot_of_lookups(index);
            write!(
                text,
                "\n### Keys: {name}\n\n![time a key against servers]({plot})\n\n"
            )
            .unwrap();
            text += &table(tables);
        }
        text
    }

    fn building(&self) -> String {
        format!(
            "## Building

The time to make a ring of new servers, from the list or, with `ketama_roll`, from a file.

![time to build against servers]({PLOT_OF_BUILDS})

{}",
            table(&self.peers.builds)
        )
    }

    fn dialects(&self) -> String {
        let mut text = "## Dialects

Times of lookups in this library's dialects, as multiples of libketama's: 100 servers of weight 1,
keys of 20 bytes.

| dialect | hash of keys | `ketama_ring_find` | `ketama_ring_find_many` |
|---|---|---:|---:|
"
        .to_owned();
        for cost in &self.dialects {
            let hash = if cost.has_md5 { "MD5" } else { "another" };
            writeln!(
                text,
                "| `{}` | {hash} | {:.2} | {:.2} |",
                cost.dialect, cost.one, cost.many
            )
            .unwrap();
        }
        text
    }

    fn memory(&self) -> String {
        let mut text = "## Memory

What a ring of the Rust interface holds, as a counting allocator sees it: points, index, names,
weights and all else. libketama takes 28 bytes a point, in a segment of 512 KB.

| servers | points | bytes | bytes a point |
|---:|---:|---:|---:|
"
        .to_owned();
        for ring in &self.memory {
            let [servers, points, bytes] = [ring.servers, ring.points, ring.bytes].map(thousands);
            let each = ring.bytes_a_point();
            writeln!(text, "| {servers} | {points} | {bytes} | {each:.2} |").unwrap();
        }
        text
    }

    fn contenders(&self) -> String {
        let mut text = "## Who is compared

| | |
|---|---|
"
        .to_owned();
        for (name, about) in &self.about {
            writeln!(text, "| {name} | {about} |").unwrap();
        }
        for (name, reason) in &self.missing {
            writeln!(text, "| {name} | not measured: {reason} |").unwrap();
        }
        text
    }
}

pub const PLOT_OF_BUILDS: &str = "build.svg";

/// `kind`: an index of the kinds of keys.
pub fn plot_of_lookups(kind: usize) -> String {
    let name = ["decimal", "20-bytes", "5-60-bytes", "100-200-bytes"][kind];
    format!("lookup-{name}.svg")
}

/// A row for each contender, and a column for each number of servers.
fn table(tables: &[Table]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for row in tables.iter().flat_map(|table| &table.rows) {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    let mut text = "| |".to_owned();
    for table in tables {
        write!(text, " {} servers | |", thousands(table.servers)).unwrap();
    }
    text += "\n|---|";
    text += &"---:|---:|".repeat(tables.len());
    text += "\n";
    for name in names {
        write!(text, "| {name} |").unwrap();
        for table in tables {
            match table.rows.iter().find(|row| row.name == name) {
                Some(Row { time, ratio, .. }) => {
                    write!(text, " {} | {} |", duration(*time), times(*ratio)).unwrap();
                }
                None => text += " | |",
            }
        }
        text += "\n";
    }
    text
}

/// Three digits of a time, with its unit.
pub fn duration(time: Nanoseconds) -> String {
    let (value, unit) = match time {
        ..1e3 => (time, "ns"),
        ..1e6 => (time / 1e3, "µs"),
        ..1e9 => (time / 1e6, "ms"),
        _ => (time / 1e9, "s"),
    };
    format!("{} {unit}", three_digits(value))
}

fn times(ratio: f64) -> String {
    format!("{}x", three_digits(ratio))
}

fn three_digits(value: f64) -> String {
    match value {
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// With commas between the thousands.
pub fn thousands(number: usize) -> String {
    match number {
        ..1000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1000), number % 1000),
    }
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let mut fields = text.lines().filter_map(|line| line.split_once(':'));
        let found = fields.find(|(key, _)| key.trim() == name);
        found.map_or("unknown", |(_, value)| value.trim())
    };
    let (name, family, model) = (field("model name"), field("cpu family"), field("model"));
    format!("{name} (family {family}, model {model})")
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}
