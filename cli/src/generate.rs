//! Man pages and completions, for `make install`.

use crate::args::{Cli, Generate};
use crate::failure::{Failure, Status};
use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate_to};
use std::fs;
use std::io;

pub fn run(args: &Generate) -> Result<Status, Failure> {
    write(args).map_err(|error| {
        Failure::new(format!(
            "{}: {error}; can it be written to?",
            args.folder.display()
        ))
    })?;
    Ok(Status::Fine)
}

fn write(args: &Generate) -> io::Result<()> {
    let share = |folder: &str| {
        let folder = args.folder.join(folder);
        fs::create_dir_all(&folder).map(|()| folder)
    };
    let mut command = visible();
    let bash = generate_to(
        Shell::Bash,
        &mut command,
        "ketama",
        share("bash-completion/completions")?,
    )?;
    // Bash looks for the command's own name.
    fs::rename(&bash, bash.with_file_name("ketama"))?;
    generate_to(
        Shell::Zsh,
        &mut command,
        "ketama",
        share("zsh/site-functions")?,
    )?;
    generate_to(
        Shell::Fish,
        &mut command,
        "ketama",
        share("fish/vendor_completions.d")?,
    )?;
    clap_mangen::generate_to(visible().disable_help_subcommand(true), share("man/man1")?)
}

/// The command without what is hidden, which completions would offer all the same.
fn visible() -> Command {
    let all = Cli::command();
    let subcommands = all
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let subcommands: Vec<Command> = subcommands.cloned().collect();
    let mut command = Command::new("ketama").version(env!("CARGO_PKG_VERSION"));
    command = command
        .subcommand_required(true)
        .args(all.get_arguments().cloned());
    command = command.about(all.get_about().cloned().unwrap_or_default());
    command = command.long_about(all.get_long_about().cloned().unwrap_or_default());
    command.subcommands(subcommands)
}
