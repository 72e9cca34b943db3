//! A ring's servers: what they want and what they get.

use crate::args::Show;
use crate::failure::{Failure, Status};
use crate::keys;
use crate::output::{
    Align, BAD, BOLD, Cell, DIM, Format, NOTE, Output, Table, percent, plain, plural, put_text,
    stdout, thousands,
};
use crate::servers::{Named, check_stdin};
use crate::shares::{Share, Warning, shares};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::Path;

/// The longest bar, in characters.
const BAR: f64 = 24.0;

pub fn run(args: &Show, output: Output) -> Result<Status, Failure> {
    check_stdin([
        Some(&*args.ring.servers),
        args.keys.as_deref().map(Path::as_os_str),
    ])?;
    let named = Named::of(&args.ring)?;
    if args.points {
        points(&named, output)?;
        return Ok(Status::Fine);
    }
    let keys = args
        .keys
        .as_deref()
        .map(|path| count(&named, path))
        .transpose()?;
    let shares = shares(&named.ring);
    match output.format {
        Format::Table => output.text(&table(&named, &shares, keys.as_deref(), output))?,
        Format::Json => output.json(&json(&named, &shares, keys.as_deref()))?,
        Format::Csv => csv(&named, &shares, keys.as_deref(), output)?,
    }
    Ok(Status::Fine)
}

/// How many of a file's keys go to each server.
fn count(named: &Named, path: &Path) -> Result<Vec<u64>, Failure> {
    let mut counts = vec![0; named.ring.servers().len()];
    keys::for_each_group(path, b'\n', true, |keys| {
        for server in named.ring.find_many(keys) {
            counts[server as usize] += 1;
        }
        Ok(())
    })?;
    Ok(counts)
}

fn points(named: &Named, output: Output) -> Result<(), Failure> {
    let ring = &named.ring;
    let name = |server: u32| &*ring.servers()[server as usize].name;
    match output.format {
        Format::Table => {
            let mut out = stdout();
            writeln!(out, "Numpoints in continuum: {}", ring.points().len())?;
            for point in ring.points() {
                out.write_all(name(point.server))?;
                writeln!(out, " ({})", point.point)?;
            }
            Ok(out.flush()?)
        }
        Format::Json => {
            let points = ring.points().map(|point| {
                let mut object = Map::new();
                object.insert("point".to_owned(), point.point.into());
                put_text(&mut object, "server", name(point.server));
                Value::from(object)
            });
            output.json(&json!({"points": points.collect::<Vec<_>>()}))
        }
        Format::Csv => {
            let rows = ring.points().map(|point| {
                [
                    point.point.to_string().into_bytes(),
                    name(point.server).to_vec(),
                ]
            });
            output.csv(&["point", "server"], rows)
        }
    }
}

fn table(named: &Named, shares: &[Share], keys: Option<&[u64]>, output: Output) -> String {
    let ring = &named.ring;
    let all_keys: Option<u64> = keys.map(|keys| keys.iter().sum());
    let mut table = Table::new(&[
        ("server", Align::Left),
        ("weight", Align::Right),
        ("points", Align::Right),
        ("wanted", Align::Right),
        ("got", Align::Right),
        ("difference", Align::Right),
        ("", Align::Left),
    ]);
    if keys.is_some() {
        table.column("keys", Align::Right);
        table.column("of all", Align::Right);
    }
    let most = shares
        .iter()
        .map(|share| share.got.max(share.wanted))
        .fold(0.0, f64::max);
    for (at, share) in shares.iter().enumerate() {
        let style = match share.warning() {
            Some(Warning::NoPoints) => BAD,
            Some(Warning::Off) => NOTE,
            None => anstyle::Style::new(),
        };
        let mut row = vec![
            (named.server(at as u32), style),
            plain(ring.servers()[at].weight.to_string()),
            plain(share.points.to_string()),
            plain(percent(share.wanted)),
            plain(percent(share.got)),
            (
                share
                    .off()
                    .map_or("-".into(), |off| format!("{:+.1}%", 100.0 * off)),
                style,
            ),
            plain(bar(share, most)),
        ];
        row.extend(key_cells(keys.map(|keys| keys[at]), all_keys));
        table.row(row);
    }
    let weights: u128 = ring
        .servers()
        .iter()
        .map(|server| u128::from(server.weight))
        .sum();
    let mut total = vec![
        ("total".to_owned(), BOLD),
        plain(weights.to_string()),
        plain(ring.points().len().to_string()),
        plain(percent(shares.iter().map(|share| share.wanted).sum())),
        plain(percent(shares.iter().map(|share| share.got).sum())),
        plain(""),
        plain(""),
    ];
    total.extend(key_cells(all_keys, all_keys));
    table.row(total);

    let title = format!(
        "{}: {}, {} in dialect {}",
        named.name,
        plural(shares.len(), "server"),
        plural(ring.points().len(), "point"),
        named.dialect
    );
    let mut text = format!("{}\n\n{}", output.paint(DIM, &title), table.render(output));
    let warnings: String = shares
        .iter()
        .enumerate()
        .filter_map(|(at, share)| {
            Some(output.paint(NOTE, &warning(&named.server(at as u32), share)?) + "\n")
        })
        .collect();
    if !warnings.is_empty() {
        text = text + "\n" + &warnings;
    }
    text
}

fn key_cells(keys: Option<u64>, all: Option<u64>) -> Vec<Cell> {
    let (Some(keys), Some(all)) = (keys, all) else {
        return Vec::new();
    };
    let share = keys as f64 / all.max(1) as f64;
    vec![plain(thousands(keys)), plain(percent(share))]
}

/// Blocks for what is got: light behind them for what is missing, and dark for what is too much.
fn bar(share: &Share, most: f64) -> String {
    let cells = |share: f64| (share / most * BAR).round() as usize;
    let (got, wanted) = (cells(share.got), cells(share.wanted));
    let (missing, excess) = (wanted.saturating_sub(got), got.saturating_sub(wanted));
    "█".repeat(got - excess) + &"▓".repeat(excess) + &"░".repeat(missing)
}

fn warning(name: &str, share: &Share) -> Option<String> {
    Some(match share.warning()? {
        Warning::NoPoints => {
            format!("warning: {name} has no points, so no key goes to it: its weight is too small")
        }
        Warning::Off => {
            let off = 100.0 * share.off()?;
            let way = if off < 0.0 { "less" } else { "more" };
            format!(
                "warning: {name} gets {:.1}% {way} than its weight wants",
                off.abs()
            )
        }
    })
}

fn json(named: &Named, shares: &[Share], keys: Option<&[u64]>) -> Value {
    let servers =
        named
            .ring
            .servers()
            .iter()
            .zip(shares)
            .enumerate()
            .map(|(at, (server, share))| {
                let mut object = Map::new();
                put_text(&mut object, "server", &server.name);
                object.insert("weight".into(), server.weight.into());
                object.insert("points".into(), share.points.into());
                object.insert("wanted".into(), share.wanted.into());
                object.insert("got".into(), share.got.into());
                object.insert("difference".into(), share.off().into());
                object.insert("warning".into(), share.warning().map(Warning::name).into());
                if let Some(keys) = keys {
                    object.insert("keys".into(), keys[at].into());
                }
                Value::from(object)
            });
    json!({
        "source": named.name,
        "dialect": named.dialect.name(),
        "points": named.ring.points().len(),
        "keys": keys.map(|keys| keys.iter().sum::<u64>()),
        "servers": servers.collect::<Vec<_>>(),
    })
}

fn csv(
    named: &Named,
    shares: &[Share],
    keys: Option<&[u64]>,
    output: Output,
) -> Result<(), Failure> {
    let mut header = vec![
        "server",
        "weight",
        "points",
        "wanted",
        "got",
        "difference",
        "warning",
    ];
    header.extend(keys.map(|_| "keys"));
    let rows = named
        .ring
        .servers()
        .iter()
        .zip(shares)
        .enumerate()
        .map(|(at, (server, share))| {
            let mut row = vec![
                server.name.to_vec(),
                server.weight.to_string().into(),
                share.points.to_string().into(),
                share.wanted.to_string().into(),
                share.got.to_string().into(),
                share
                    .off()
                    .map_or(String::new(), |off| off.to_string())
                    .into(),
                share.warning().map_or("", Warning::name).into(),
            ];
            row.extend(keys.map(|keys| keys[at].to_string().into_bytes()));
            row
        });
    output.csv(&header, rows)
}
