//! The command `ketama`: see your ring before it hurts.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod diff;
mod failure;
mod generate;
mod get;
mod keys;
mod lint;
mod output;
mod plot;
mod progress;
mod servers;
mod shares;
mod show;
mod watch;
mod which;

use args::{Cli, Command};
use clap::Parser;
use clap::error::ErrorKind;
use failure::{Failure, Status};
use output::{Output, complain};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let output = Output::new(cli.format, cli.color);
    let result = match cli.command {
        Command::Get(args) => get::run(&args, output),
        Command::Show(args) => show::run(&args, output),
        Command::Diff(args) => diff::run(&args, output),
        Command::Lint(args) => lint::run(&args, output),
        Command::Which(args) => which::run(&args, output),
        Command::Plot(args) => plot::run(&args, output),
        Command::Watch(args) => watch::run(&args, output),
        Command::Bench(args) => bench::run(&args, output),
        Command::Generate(args) => generate::run(&args),
    };
    match result {
        Ok(Status::Fine) | Err(Failure::Closed) => ExitCode::SUCCESS,
        Ok(Status::BadNews) => ExitCode::from(1),
        Err(Failure::Text(text)) => {
            complain(&text);
            ExitCode::from(2)
        }
    }
}

/// Help and version as clap prints them; what is wrong with the arguments in one line.
fn usage(error: &clap::Error) -> ExitCode {
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_help || !error.use_stderr() {
        // Where the output is closed, nobody wants to know.
        let _ = error.print();
        return ExitCode::from(if is_help { 2 } else { 0 });
    }
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim);
    let what: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    let what = what.join(" ");
    let what = what.strip_prefix("error: ").unwrap_or(&what);
    complain(&format!(
        "{what}; see ketama --help, or ketama COMMAND --help"
    ));
    ExitCode::from(2)
}
