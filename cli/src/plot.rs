//! Canvass of rings.

mod bars;
mod canvas;
mod circle;
mod palette;
mod png;

use crate::args::Plot;
use crate::diff::Difference;
use crate::failure::{Failure, Status};
use crate::output::{Format, Output, percent, plural, shown};
use crate::servers::{Named, check_stdin};
use crate::shares::shares;
use bars::{Bars, Row};
use canvas::{BLACK, Canvas, GREY, SANS_WIDTH, cut};
use circle::{Circle, owners};
use serde_json::json;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// More could not be read.
const MOST_SERVERS: usize = 1000;
/// The width of what is left of the bars.
const CIRCLE: f64 = 600.0;
const TOP: f64 = 92.0;
const MARGIN: f64 = 24.0;

enum Kind {
    Svg,
    Png,
}

pub fn run(args: &Plot, output: Output) -> Result<Status, Failure> {
    let kinds = args
        .output
        .iter()
        .map(|path| kind(path))
        .collect::<Result<Vec<_>, _>>()?;
    let picture = match (&args.servers, &args.rings[..]) {
        (Some(servers), _) => one(&Named::new(servers, args.dialect.dialect)?)?,
        (None, [old, new]) => {
            check_stdin([Some(old), Some(new)])?;
            let old = Named::new(old, args.dialect.dialect)?;
            let new = Named::new(new, args.new_dialect.unwrap_or(args.dialect.dialect))?;
            two(&old, &new)?
        }
        _ => unreachable!("clap asks for one or two"),
    };
    for (path, kind) in args.output.iter().zip(kinds) {
        write(&picture, path, kind)?;
    }
    report(&picture, args, output)?;
    Ok(Status::Fine)
}

fn kind(path: &Path) -> Result<Kind, Failure> {
    let extension = path
        .extension()
        .map(|it| it.as_bytes().to_ascii_lowercase());
    match extension.as_deref() {
        _ if path == Path::new("-") => Ok(Kind::Svg),
        Some(b"svg") => Ok(Kind::Svg),
        Some(b"png") => Ok(Kind::Png),
        _ => Err(Failure::new(format!(
            "{}: what kind of picture is it to be? Give a name that ends with .svg or .png",
            shown(path.as_os_str().as_bytes())
        ))),
    }
}

fn write(picture: &Canvas, path: &Path, kind: Kind) -> Result<(), Failure> {
    if path == Path::new("-") {
        return Ok(std::io::stdout()
            .lock()
            .write_all(picture.svg().as_bytes())?);
    }
    let written = match kind {
        Kind::Svg => fs::write(path, picture.svg()),
        Kind::Png => fs::write(path, png::png(picture)?),
    };
    written.map_err(|error| {
        let name = shown(path.as_os_str().as_bytes());
        Failure::new(format!(
            "{name}: cannot write it: {error}; give a file in a folder that there is"
        ))
    })
}

/// What was written.
fn report(picture: &Canvas, args: &Plot, output: Output) -> Result<(), Failure> {
    let files = args.output.iter().filter(|path| **path != Path::new("-"));
    let (width, height) = picture.size();
    match output.format {
        // The picture itself is there.
        _ if args.output.iter().any(|path| path == Path::new("-")) => Ok(()),
        Format::Table => {
            let line = |path: &Path| {
                format!(
                    "{}: {width} x {height}\n",
                    shown(path.as_os_str().as_bytes())
                )
            };
            output.text(&files.map(|path| line(path)).collect::<String>())
        }
        Format::Json => {
            let files = files.map(|path| shown(path.as_os_str().as_bytes()));
            let files = files.map(|file| json!({"file": file, "width": width, "height": height}));
            output.json(&json!({"written": files.collect::<Vec<_>>()}))
        }
        Format::Csv => {
            let row = |path: &Path| {
                [
                    path.as_os_str().as_bytes().to_vec(),
                    width.to_string().into(),
                    height.to_string().into(),
                ]
            };
            output.csv(&["file", "width", "height"], files.map(|path| row(path)))
        }
    }
}

fn check_count(name: &str, servers: usize) -> Result<(), Failure> {
    if servers > MOST_SERVERS {
        return Err(Failure::new(format!(
            "{name}: nobody could read a picture of {}; plot at most {MOST_SERVERS}, or use show or diff",
            plural(servers, "server")
        )));
    }
    Ok(())
}

fn describe(named: &Named) -> String {
    format!(
        "{}, {} in dialect {}",
        plural(named.ring.servers().len(), "server"),
        plural(named.ring.points().len(), "point"),
        named.dialect
    )
}

fn one(named: &Named) -> Result<Canvas, Failure> {
    let servers = named.ring.servers();
    check_count(&named.name, servers.len())?;
    let rows = servers
        .iter()
        .zip(shares(&named.ring))
        .map(|(server, share)| Row {
            name: shown(&server.name),
            wanted: share.wanted,
            got: vec![share.got],
            cells: match share.off() {
                _ if share.points == 0 => vec!["no points".to_owned(), String::new()],
                off => vec![
                    percent(share.got),
                    off.map_or(String::new(), |off| format!("{:+.1}%", 100.0 * off)),
                ],
            },
        });
    let bars = Bars::new(rows.collect());
    let mut canvas = page(&bars, &named.name, &describe(named));
    let circle = Circle::new(CIRCLE / 2.0, TOP + CIRCLE / 2.0 - 30.0);
    let owners: Vec<usize> = owners(&named.ring).collect();
    circle.ring(&mut canvas, &owners, 252.0, 160.0);
    circle.scale(&mut canvas, 252.0);
    circle.caption(
        &mut canvas,
        &[
            &plural(servers.len(), "server"),
            &plural(named.ring.points().len(), "point"),
        ],
    );
    bars.draw(
        &mut canvas,
        CIRCLE,
        TOP,
        "share of keys: got (bar), wanted (line), difference",
    );
    Ok(canvas)
}

fn two(old: &Named, new: &Named) -> Result<Canvas, Failure> {
    let difference = Difference::new(old, new);
    check_count(&new.name, difference.servers.len())?;
    let Some(moved) = difference.moved else {
        return Err(Failure::new(format!(
            "{} and {}: {} and {} place keys by different hashes, so no arc is the same; use diff with --keys FILE",
            old.name, new.name, old.dialect, new.dialect
        )));
    };
    let rows = difference.servers.iter().map(|side| {
        let share = |is_there, share| {
            if is_there {
                percent(share)
            } else {
                "-".to_owned()
            }
        };
        Row {
            name: shown(&side.name),
            wanted: side.new.wanted,
            got: vec![side.old.got, side.new.got],
            cells: vec![
                share(side.old.is_there, side.old.got),
                "→".to_owned(),
                share(side.new.is_there, side.new.got),
            ],
        }
    });
    let bars = Bars::new(rows.collect());
    let title = format!("{} → {}", old.name, new.name);
    let mut canvas = page(
        &bars,
        &title,
        &format!("{} → {}", describe(old), describe(new)),
    );
    let circle = Circle::new(CIRCLE / 2.0, TOP + CIRCLE / 2.0 - 30.0);
    let place =
        |of: &[usize], owners: &[usize]| owners.iter().map(|&owner| of[owner]).collect::<Vec<_>>();
    let old_owners = place(
        &difference.old_places,
        &owners(&old.ring).collect::<Vec<_>>(),
    );
    let new_owners = place(
        &difference.new_places,
        &owners(&new.ring).collect::<Vec<_>>(),
    );
    circle.ring(&mut canvas, &old_owners, 252.0, 208.0);
    let is_moved: Vec<bool> = old_owners
        .iter()
        .zip(&new_owners)
        .map(|(old, new)| old != new)
        .collect();
    circle.marks(&mut canvas, &is_moved, 204.0, 186.0);
    circle.ring(&mut canvas, &new_owners, 182.0, 138.0);
    circle.scale(&mut canvas, 252.0);
    let moves = format!("{} moves", percent(moved));
    circle.caption(
        &mut canvas,
        &[&moves, "outer: before", "inner: after", "black: moved"],
    );
    bars.draw(
        &mut canvas,
        CIRCLE,
        TOP,
        "share of keys: before, after (bars), wanted after (line)",
    );
    Ok(canvas)
}

/// A canvas of the size that is needed, with its title.
fn page(bars: &Bars, title: &str, subtitle: &str) -> Canvas {
    let width = CIRCLE + bars.width() + MARGIN;
    let height = (TOP + CIRCLE - 40.0).max(TOP + bars.height() + MARGIN);
    let mut canvas = Canvas::new(width, height);
    for (text, y, size, colour) in [(title, 34.0, 20.0, BLACK), (subtitle, 58.0, 14.0, GREY)] {
        let fits = (width - 2.0 * MARGIN) / (SANS_WIDTH * size);
        canvas.title((MARGIN, y), size, &cut(text, fits as usize), colour);
    }
    canvas
}
