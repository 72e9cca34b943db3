//! Each change of a file as a diff.

use crate::args::Watch;
use crate::diff::{Difference, json, summary};
use crate::failure::{Failure, Status};
use crate::output::{BOLD, Format, Output, complain, shown, stdout};
use crate::servers::Named;
use ketama::{Error, Ring};
use serde_json::{Map, Value};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

pub fn run(args: &Watch, output: Output) -> Result<Status, Failure> {
    let name = shown(args.servers.as_os_str().as_bytes());
    let dialect = args.dialect.dialect;
    let named = |ring: &Ring| Named {
        name: name.clone(),
        dialect,
        ring: ring.clone(),
    };
    let watch = ketama::Watch::<Ring>::new(&args.servers, dialect).map_err(|error| {
        Failure::new(format!("{}; mend the file first", describe(&name, error)))
    })?;
    let mut old = named(&watch.ring());
    print(output, &Event::Started(&old))?;
    let mut failed = None;
    loop {
        sleep(Duration::from_secs_f64(args.interval));
        match watch.poll() {
            Ok(is_new) => {
                failed = None;
                if is_new {
                    let new = named(&watch.ring());
                    print(output, &Event::Changed(&old, &new))?;
                    old = new;
                }
            }
            // Once, not with each look.
            Err(error) if failed == Some(error) => {}
            Err(error) => {
                complain(&format!(
                    "{}; the ring stays as it was",
                    describe(&name, error)
                ));
                failed = Some(error);
            }
        }
    }
}

enum Event<'a> {
    Started(&'a Named),
    Changed(&'a Named, &'a Named),
}

fn describe(name: &str, error: Error) -> String {
    match error {
        Error::Syntax {
            line,
            column,
            expected,
        } => format!("{name}:{line}:{column}: expected {expected}"),
        _ => format!("{name}: {error}"),
    }
}

fn print(output: Output, event: &Event) -> Result<(), Failure> {
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let mut out = stdout();
    match (output.format, event) {
        (Format::Table, Event::Started(named)) => {
            writeln!(
                out,
                "{}  watching {}",
                output.paint(BOLD, &time),
                named.name
            )?;
        }
        (Format::Table, Event::Changed(old, new)) => {
            let difference = Difference::new(old, new);
            writeln!(out, "\n{}  changed", output.paint(BOLD, &time))?;
            out.write_all(summary(&difference, old, new, 20, output).as_bytes())?;
        }
        (Format::Json, Event::Started(_)) => {}
        (Format::Json, Event::Changed(old, new)) => {
            let mut value = Map::from_iter([("time".to_owned(), Value::from(time))]);
            if let Value::Object(fields) = json(&Difference::new(old, new), old, new) {
                value.extend(fields);
            }
            writeln!(out, "{}", Value::from(value))?;
        }
        (Format::Csv, Event::Started(_)) => writeln!(out, "time,from,to,share")?,
        (Format::Csv, Event::Changed(old, new)) => {
            let difference = Difference::new(old, new);
            let mut writer = csv::Writer::from_writer(&mut out);
            for one in &difference.moves {
                let share = one.share.unwrap_or(0.0).to_string();
                let (from, to) = (
                    &difference.servers[one.from].name,
                    &difference.servers[one.to].name,
                );
                writer.write_record([time.as_bytes(), from, to, share.as_bytes()])?;
            }
            writer.flush()?;
        }
    }
    Ok(out.flush()?)
}
