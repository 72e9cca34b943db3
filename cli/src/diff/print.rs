//! A difference for people and programs.

use super::{Difference, Part};
use crate::args::Diff;
use crate::failure::Failure;
use crate::output::{
    Align, BAD, BOLD, Cell, DIM, Format, GOOD, Output, Table, percent, plain, plural, put_text,
    shown, stdout, thousands,
};
use crate::servers::Named;
use serde_json::{Map, Value, json as object};
use std::io::Write;

/// How many moves a table has, and where there are more, is to say so.
const MOVES: usize = 20;

pub fn print(
    difference: &Difference,
    old: &Named,
    new: &Named,
    args: &Diff,
    is_too_much: bool,
    output: Output,
) -> Result<(), Failure> {
    match output.format {
        Format::Table => {
            let most = if args.all { usize::MAX } else { MOVES };
            let mut text = summary(difference, old, new, most, output);
            if let (Some(most), true) = (args.max_moved, is_too_much) {
                text += &format!(
                    "\n{}\n",
                    output.paint(BAD, &format!("more than {most}% moves"))
                );
            }
            output.text(&text)?;
            list(difference, args, output)
        }
        Format::Json => {
            let mut value = json(difference, old, new);
            let fields = value.as_object_mut().expect("a difference is an object");
            fields.insert(
                "max_moved".into(),
                args.max_moved.map(|most| most / 100.0).into(),
            );
            fields.insert("is_too_much".into(), is_too_much.into());
            if args.list {
                fields.insert("moved_keys".into(), listed(difference));
            }
            output.json(&value)
        }
        Format::Csv if args.list => {
            let rows = difference.listed.iter().map(|(key, from, to)| {
                [
                    key,
                    &difference.servers[*from].name,
                    &difference.servers[*to].name,
                ]
                .map(|text| text.to_vec())
            });
            output.csv(&["key", "from", "to"], rows)
        }
        Format::Csv => {
            let rows = difference.moves.iter().map(|one| {
                [
                    difference.servers[one.from].name.to_vec(),
                    difference.servers[one.to].name.to_vec(),
                    one.share
                        .map_or(String::new(), |share| share.to_string())
                        .into(),
                    one.keys
                        .map_or(String::new(), |keys| keys.to_string())
                        .into(),
                ]
            });
            output.csv(&["from", "to", "share", "keys"], rows)
        }
    }
}

/// The difference as tables, with the largest moves.
pub fn summary(
    difference: &Difference,
    old: &Named,
    new: &Named,
    most: usize,
    output: Output,
) -> String {
    let mut text = String::new();
    for (side, named) in [("old", old), ("new", new)] {
        let servers = plural(named.ring.servers().len(), "server");
        let points = plural(named.ring.points().len(), "point");
        let line = format!(
            "{side}  {}: {servers}, {points} in dialect {}",
            named.name, named.dialect
        );
        text += &(output.paint(DIM, &line) + "\n");
    }
    text += "\n";
    if let Some(moved) = difference.moved {
        let moved = format!("{:>8}", percent(moved));
        text += &format!("{}  of all positions move\n", output.paint(BOLD, &moved));
        text += &format!(
            "{:>8}  had to, for these weights\n",
            percent(difference.least_wanted)
        );
        text += &format!(
            "{:>8}  had to, for the shares that servers get\n",
            percent(difference.least_got)
        );
    }
    if let Some(keys) = difference.keys {
        let share = format!("{:>8}", percent(keys.share()));
        let (moved, total) = (thousands(keys.moved), plural(keys.total as usize, "key"));
        text += &format!(
            "{}  of the keys move: {moved} of {total}\n",
            output.paint(BOLD, &share)
        );
    }
    if difference.moves.is_empty() {
        return text + "\nno key moves\n";
    }
    text += "\n";
    text += &moves(difference, most).render(output);
    if difference.moves.len() > most {
        let left = &difference.moves[most..];
        let share: f64 = left.iter().filter_map(|one| one.share).sum();
        text += &format!(
            "and {}, {} in all: see --all\n",
            plural(left.len(), "smaller move"),
            percent(share)
        );
    }
    text += "\n";
    text + &servers(difference).render(output)
}

fn moves(difference: &Difference, most: usize) -> Table {
    let mut table = Table::new(&[("from", Align::Left), ("to", Align::Left)]);
    if difference.moved.is_some() {
        table.column("of all positions", Align::Right);
    }
    if difference.keys.is_some() {
        table.column("keys", Align::Right);
    }
    for one in difference.moves.iter().take(most) {
        let mut row = vec![
            plain(shown(&difference.servers[one.from].name)),
            plain(shown(&difference.servers[one.to].name)),
        ];
        row.extend(one.share.map(|share| plain(percent(share))));
        row.extend(one.keys.map(|keys| plain(thousands(keys))));
        table.row(row);
    }
    table
}

fn servers(difference: &Difference) -> Table {
    let mut table = Table::new(&[
        ("server", Align::Left),
        ("wanted", Align::Right),
        ("after", Align::Right),
        ("got", Align::Right),
        ("after", Align::Right),
    ]);
    if difference.moved.is_some() {
        table.column("gives", Align::Right);
        table.column("takes", Align::Right);
    }
    let share = |part: &Part, share: f64| {
        plain(if part.is_there {
            percent(share)
        } else {
            "-".to_owned()
        })
    };
    for side in &difference.servers {
        let style = match (side.old.is_there, side.new.is_there) {
            (false, true) => GOOD,
            (true, false) => BAD,
            _ => anstyle::Style::new(),
        };
        let mut row: Vec<Cell> = vec![
            (shown(&side.name), style),
            share(&side.old, side.old.wanted),
            share(&side.new, side.new.wanted),
            share(&side.old, side.old.got),
            share(&side.new, side.new.got),
        ];
        if difference.moved.is_some() {
            row.extend([percent(side.gives), percent(side.takes)].map(plain));
        }
        table.row(row);
    }
    table
}

/// The keys that move, their bytes as they are.
fn list(difference: &Difference, args: &Diff, output: Output) -> Result<(), Failure> {
    if !args.list {
        return Ok(());
    }
    let mut out = stdout();
    writeln!(
        out,
        "\n{}",
        output.paint(BOLD, "keys that move: key, from, to")
    )?;
    for (key, from, to) in &difference.listed {
        let (from, to) = (
            &difference.servers[*from].name,
            &difference.servers[*to].name,
        );
        out.write_all(&[key, &b"\t"[..], from, b"\t", to, b"\n"].concat())?;
    }
    Ok(out.flush()?)
}

fn listed(difference: &Difference) -> Value {
    let keys = difference.listed.iter().map(|(key, from, to)| {
        let mut object = Map::new();
        put_text(&mut object, "key", key);
        put_text(&mut object, "from", &difference.servers[*from].name);
        put_text(&mut object, "to", &difference.servers[*to].name);
        Value::from(object)
    });
    keys.collect()
}

pub fn json(difference: &Difference, old: &Named, new: &Named) -> Value {
    let ring = |named: &Named| {
        object!({
            "source": named.name,
            "dialect": named.dialect.name(),
            "servers": named.ring.servers().len(),
            "points": named.ring.points().len(),
        })
    };
    let keys = difference.keys.map(
        |keys| object!({"total": keys.total, "moved": keys.moved, "moved_share": keys.share()}),
    );
    let moves = difference.moves.iter().map(|one| {
        let mut object = Map::new();
        put_text(&mut object, "from", &difference.servers[one.from].name);
        put_text(&mut object, "to", &difference.servers[one.to].name);
        object.insert("share".into(), one.share.into());
        object.insert("keys".into(), one.keys.into());
        Value::from(object)
    });
    let servers = difference.servers.iter().map(|side| {
        let part = |part: &Part, share: f64| part.is_there.then_some(share);
        let mut object = Map::new();
        put_text(&mut object, "server", &side.name);
        object.insert("wanted_old".into(), part(&side.old, side.old.wanted).into());
        object.insert("wanted_new".into(), part(&side.new, side.new.wanted).into());
        object.insert("got_old".into(), part(&side.old, side.old.got).into());
        object.insert("got_new".into(), part(&side.new, side.new.got).into());
        object.insert("gives".into(), difference.moved.map(|_| side.gives).into());
        object.insert("takes".into(), difference.moved.map(|_| side.takes).into());
        Value::from(object)
    });
    object!({
        "old": ring(old),
        "new": ring(new),
        "moved": difference.moved,
        "least_wanted": difference.least_wanted,
        "least_got": difference.least_got,
        "keys": keys,
        "moves": moves.collect::<Vec<_>>(),
        "servers": servers.collect::<Vec<_>>(),
    })
}
