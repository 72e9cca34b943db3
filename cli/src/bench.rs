//! This machine's lookups a second.

use crate::args::Bench;
use crate::failure::{Failure, Status};
use crate::output::{Align, BOLD, DIM, Format, Output, Table, plain, plural, thousands};
use crate::servers::Named;
use serde_json::json;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Enough that they do not stay in the nearest cache, few enough that they stay in the next.
const KEYS: usize = 16_384;
const KEY_LEN: usize = 20;
/// How long each way is measured.
const TIME: Duration = Duration::from_millis(200);

pub fn run(args: &Bench, output: Output) -> Result<Status, Failure> {
    let named = Named::of(&args.ring)?;
    let ring = &named.ring;
    let bytes: String = (0..KEYS).map(|key| format!("key:{key:016}")).collect();
    let offsets: Vec<u32> = (0..=KEYS as u32).map(|key| key * KEY_LEN as u32).collect();
    let keys: Vec<&[u8]> = bytes.as_bytes().chunks(KEY_LEN).collect();
    let one = nanoseconds(|| {
        keys.iter()
            .map(|key| ring.find(key))
            .fold(0, |sum, server| sum ^ server)
    });
    let many = nanoseconds(|| ring.find_packed(bytes.as_bytes(), &offsets));

    let rows = [
        ("one", "one key a call", one),
        ("many", "many keys a call", many),
    ];
    match output.format {
        Format::Table => {
            let mut table = Table::new(&[
                ("", Align::Left),
                ("ns a key", Align::Right),
                ("keys a second", Align::Right),
            ]);
            for (_, name, time) in rows {
                table.row(vec![
                    plain(name),
                    plain(format!("{time:.1}")),
                    (thousands((1e9 / time) as u64), BOLD),
                ]);
            }
            let title = format!(
                "{}: {}, {} in dialect {}; keys of {KEY_LEN} bytes, instructions {}",
                named.name,
                plural(ring.servers().len(), "server"),
                plural(ring.points().len(), "point"),
                named.dialect,
                ring.instructions(),
            );
            output.text(&format!(
                "{}\n\n{}",
                output.paint(DIM, &title),
                table.render(output)
            ))?;
        }
        Format::Json => {
            let way = |time: f64| json!({"nanoseconds": time, "per_second": 1e9 / time});
            output.json(&json!({
                "source": named.name,
                "dialect": named.dialect.name(),
                "servers": ring.servers().len(),
                "points": ring.points().len(),
                "key_bytes": KEY_LEN,
                "instructions": ring.instructions(),
                "one": way(one),
                "many": way(many),
            }))?;
        }
        Format::Csv => {
            let rows = rows.map(|(way, _, time)| {
                [
                    way.to_owned(),
                    time.to_string(),
                    (1e9 / time).to_string(),
                    ring.instructions().to_owned(),
                ]
                .map(String::into_bytes)
            });
            output.csv(&["way", "nanoseconds", "per_second", "instructions"], rows)?;
        }
    }
    Ok(Status::Fine)
}

/// The time a key of the best of many rounds: others lost theirs to something else.
fn nanoseconds<T>(mut round: impl FnMut() -> T) -> f64 {
    let started = Instant::now();
    let mut best = f64::MAX;
    while started.elapsed() < TIME {
        let round_started = Instant::now();
        black_box(round());
        best = best.min(round_started.elapsed().as_nanos() as f64);
    }
    best / KEYS as f64
}
