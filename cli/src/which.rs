//! Which dialect and settings explain where keys were found.

mod candidates;

use crate::args::Which;
use crate::failure::{Failure, Status};
use crate::keys;
use crate::output::{
    Align, BOLD, DIM, Format, GOOD, NOTE, Output, Table, percent, plain, plural, shown, thousands,
};
use crate::servers::{Source, borrowed, check_stdin};
use candidates::{Candidate, Weights};
use ketama::dialect::Count;
use ketama::{Dialect, Ring, Server};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;

/// The most that weights sum to where each counts for 160 points: a ring of 16 million points, which
/// no client has.
const MOST_WEIGHT: u128 = 100_000;

/// The share of samples below which those that a ring does not explain may be failover.
const STRAY: f64 = 0.1;

/// Keys and where they were found.
#[derive(Default)]
struct Samples {
    keys: Vec<Box<[u8]>>,
    servers: Vec<u32>,
    /// How many lines name a server that is not in the list, and the first of them: its line and name.
    unknown: usize,
    first_unknown: Option<(usize, String)>,
}

struct Found {
    candidate: Candidate,
    /// How many samples it explains; an error where no ring can be made of these servers.
    agreed: Result<usize, String>,
}

pub fn run(args: &Which, output: Output) -> Result<Status, Failure> {
    check_stdin([Some(&*args.servers), Some(args.samples.as_os_str())])?;
    let source = Source::read(&args.servers)?;
    // Any dialect without weights takes every list of names.
    let ring = source.ring(Dialect::Spymemcached.rules())?;
    let samples = Samples::read(args, ring.servers())?;
    if samples.keys.is_empty() {
        return Err(Failure::new(match samples.first_unknown {
            Some((line, server)) => format!(
                "{}:{line}: {} has no server {server}, nor those of all other lines; give the list that clients have",
                args.samples.display(),
                source.name
            ),
            None => format!(
                "{}: no samples; give lines of a key and its server",
                args.samples.display()
            ),
        }));
    }
    let mut found: Vec<Found> = Candidate::all(ring.servers())
        .into_iter()
        .map(|candidate| {
            let agreed = agreement(&candidate, ring.servers(), &samples);
            Found { candidate, agreed }
        })
        .collect();
    // Stable: dialects first, where both explain as many.
    found.sort_by_key(|one| {
        std::cmp::Reverse(one.agreed.as_ref().map_or(-1, |&agreed| agreed as i64))
    });
    print(&source, &samples, &found, output)?;
    Ok(Status::Fine)
}

impl Samples {
    fn read(args: &Which, servers: &[Server]) -> Result<Samples, Failure> {
        let path = shown(args.samples.as_os_str().as_bytes());
        let places = places(servers);
        let mut samples = Samples::default();
        let mut number = 0;
        keys::for_each_group(&args.samples, b'\n', true, |lines| {
            for line in lines {
                number += 1;
                let line = line.trim_ascii_end();
                if line.is_empty() {
                    continue;
                }
                let space = line.iter().rposition(|byte| matches!(byte, b' ' | b'\t'));
                let Some((key, server)) =
                    space.map(|at| (line[..at].trim_ascii_end(), &line[at + 1..]))
                else {
                    return Err(Failure::new(format!(
                        "{path}:{number}:1: expected a key, white space and the name of its server"
                    )));
                };
                match places
                    .get(server)
                    .or_else(|| places.get(other_form(server).as_slice()))
                {
                    Some(&place) => {
                        samples.keys.push(key.into());
                        samples.servers.push(place);
                    }
                    None => {
                        samples.unknown += 1;
                        samples.first_unknown.get_or_insert((number, shown(server)));
                    }
                }
            }
            Ok(())
        })?;
        Ok(samples)
    }
}

/// A server of each name.
fn places(servers: &[Server]) -> HashMap<&[u8], u32> {
    servers
        .iter()
        .map(|server| &*server.name)
        .zip(0..)
        .collect()
}

/// A name with the default port where it is without, and without it where it has that.
fn other_form(name: &[u8]) -> Vec<u8> {
    const PORT: &[u8] = b":11211";
    match name.strip_suffix(PORT) {
        Some(host) => host.to_vec(),
        None => [name, PORT].concat(),
    }
}

fn agreement(
    candidate: &Candidate,
    servers: &[Server],
    samples: &Samples,
) -> Result<usize, String> {
    let mut servers = borrowed(servers);
    if candidate.weights == Weights::Equal {
        servers.iter_mut().for_each(|server| server.weight = 1);
    }
    let weights: u128 = servers.iter().map(|server| u128::from(server.weight)).sum();
    if candidate.rules.count == Count::TimesWeight && weights > MOST_WEIGHT {
        return Err(format!(
            "points times the weight would be too many: weights sum to {weights}"
        ));
    }
    let ring = Ring::with_rules(&servers, &candidate.rules).map_err(|error| error.to_string())?;
    let owners = ring
        .find_many(&samples.keys)
        .into_iter()
        .zip(&samples.servers);
    // Servers listed twice are one to who asks by name.
    let name = |server: u32| servers[server as usize].name;
    Ok(owners
        .filter(|&(found, &sample)| name(found) == name(sample))
        .count())
}

fn print(
    source: &Source,
    samples: &Samples,
    found: &[Found],
    output: Output,
) -> Result<(), Failure> {
    let share = |agreed: usize| agreed as f64 / samples.keys.len() as f64;
    match output.format {
        Format::Table => output.text(&table(source, samples, found, output)),
        Format::Json => {
            let rings = found.iter().map(|one| {
                json!({
                    "ring": one.candidate.name,
                    "is_dialect": one.candidate.is_dialect,
                    "settings": one.candidate.settings(),
                    "agreed": one.agreed.as_ref().ok(),
                    "agreement": one.agreed.as_ref().ok().map(|&agreed| share(agreed)),
                    "error": one.agreed.as_ref().err(),
                })
            });
            output.json(&json!({
                "source": source.name,
                "samples": samples.keys.len(),
                "unknown": samples.unknown,
                "first_unknown": samples.first_unknown.as_ref().map(|(line, server)| {
                    json!({"line": line, "server": server})
                }),
                "best": best(found).iter().map(|one| Value::from(&*one.candidate.name)).collect::<Vec<_>>(),
                "rings": rings.collect::<Vec<_>>(),
            }))
        }
        Format::Csv => {
            let rows = found.iter().map(|one| {
                [
                    one.agreed
                        .as_ref()
                        .map_or(String::new(), |&agreed| share(agreed).to_string()),
                    one.agreed
                        .as_ref()
                        .map_or(String::new(), |agreed| agreed.to_string()),
                    samples.keys.len().to_string(),
                    one.candidate.name.clone(),
                    one.candidate.settings(),
                ]
                .map(String::into_bytes)
            });
            output.csv(
                &["agreement", "agreed", "samples", "ring", "settings"],
                rows,
            )
        }
    }
}

/// Those that explain as many samples as the first.
fn best(found: &[Found]) -> &[Found] {
    let ties = found
        .iter()
        .take_while(|one| one.agreed == found[0].agreed)
        .count();
    &found[..ties]
}

fn table(source: &Source, samples: &Samples, found: &[Found], output: Output) -> String {
    let count = samples.keys.len();
    let title = format!("{} on {}", plural(count, "sample"), source.name);
    let mut text = output.paint(DIM, &title) + "\n";
    if let Some((line, server)) = &samples.first_unknown {
        let lines = plural(samples.unknown, "more line");
        let note = format!(
            "{lines} name servers that are not in the list, the first is line {line}: {server}"
        );
        text += &(output.paint(NOTE, &note) + "\n");
    }
    text += "\n";
    let best = best(found);
    let mut table = Table::new(&[
        ("agreement", Align::Right),
        ("ring", Align::Left),
        ("settings", Align::Left),
    ]);
    for (at, one) in found.iter().enumerate() {
        let style = if at < best.len() {
            GOOD
        } else {
            anstyle::Style::new()
        };
        let agreement = match &one.agreed {
            Ok(agreed) => percent(*agreed as f64 / count as f64),
            Err(_) => "-".to_owned(),
        };
        let settings = match &one.agreed {
            Ok(_) => one.candidate.settings(),
            Err(error) => error.clone(),
        };
        table.row(vec![
            (agreement, style),
            (one.candidate.name.clone(), style),
            plain(settings),
        ]);
    }
    text += &table.render(output);
    text += "\n";
    text + &output.paint(BOLD, &verdict(best, count)) + "\n"
}

fn verdict(best: &[Found], count: usize) -> String {
    let name = |one: &Found| one.candidate.name.clone();
    let agreed = *best[0].agreed.as_ref().unwrap_or(&0);
    let left = count - agreed;
    let explained = if left == 0 {
        "explains all samples".to_owned()
    } else if (left as f64) < STRAY * count as f64 {
        format!(
            "explains all but {} of {}: was a server down?",
            thousands(left as u64),
            plural(count, "sample")
        )
    } else {
        format!(
            "explains most, but leaves {} of {}: it is probably none of these",
            thousands(left as u64),
            plural(count, "sample")
        )
    };
    match best {
        [one] => format!("{} {explained}", name(one)),
        [first, others @ ..] => {
            let others: Vec<String> = others.iter().map(name).collect();
            format!(
                "{} {explained}; these samples cannot tell it from {}",
                name(first),
                others.join(", ")
            )
        }
        [] => unreachable!("there are dialects"),
    }
}
