//! What the command takes.

use crate::lint::Rule;
use crate::output::{ColorChoice, Format};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueHint};
use ketama::Dialect;
use std::ffi::OsString;
use std::path::PathBuf;

/// See your ketama ring before it hurts
///
/// Where does this key live, which client do my rings agree with, what moves if I add a server, and is this file read as
/// I meant it?
///
/// Exit status: 0 if all is well; 1 if the answer is bad news (lint found something, diff moved more than
/// --max-moved); 2 for wrong usage or unreadable input. A closed output ends the command quietly with 0.
#[derive(Parser)]
#[command(name = "ketama", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,

    /// How to print the answer; the same facts in each
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        help_heading = "Output"
    )]
    pub format: Format,

    /// When to print in colour; auto: on a terminal, unless NO_COLOR is set
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Output"
    )]
    pub color: ColorChoice,
}

#[derive(Subcommand)]
pub enum Command {
    Get(Get),
    Show(Show),
    Diff(Diff),
    Lint(Lint),
    Which(Which),
    Plot(Plot),
    Watch(Watch),
    Bench(Bench),
    Generate(Generate),
}

/// A ring: its servers and its dialect.
#[derive(Args)]
pub struct RingArgs {
    /// The servers: a definition file, - for standard input, or a list NAME[=WEIGHT],...
    ///
    /// A path that exists is a file. In a list the weight is what stands behind the last =, and 1 without one; a name may
    /// have : and, where a weight is given, = in it, but no comma.
    #[arg(short, long, value_name = "FILE|LIST", value_hint = ValueHint::FilePath)]
    pub servers: OsString,

    #[command(flatten)]
    pub dialect: DialectArgs,
}

#[derive(Args)]
pub struct DialectArgs {
    /// The client whose ring it is
    #[arg(short, long, default_value = "libketama", value_parser = dialect())]
    pub dialect: Dialect,
}

pub fn dialect() -> impl TypedValueParser<Value = Dialect> {
    let names = Dialect::ALL.iter().map(|dialect| dialect.name());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Dialect>())
}

/// Where keys live: key, position, point, server
///
/// Keys are read from standard input if none are given, a line each. They are bytes: a carriage return is part of the
/// key, an empty line is the empty key, and what is no UTF-8 passes through unchanged.
#[derive(Args)]
pub struct Get {
    #[command(flatten)]
    pub ring: RingArgs,

    /// The keys; from standard input if there are none
    #[arg(value_name = "KEY")]
    pub keys: Vec<OsString>,

    /// Keys from standard input end with a NUL, not with a newline
    #[arg(short = '0', long)]
    pub null: bool,

    /// Also the next servers around the ring, N in all, each another one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub replicas: Option<u32>,

    /// A server that is down: its keys go to the next one that is up. May be repeated
    #[arg(long, value_name = "SERVER")]
    pub down: Vec<OsString>,
}

/// A table of servers: weights, points, shares of keys wanted and got
///
/// Warns of every server whose share is off by more than 10% of it, or that has no points.
#[derive(Args)]
pub struct Show {
    #[command(flatten)]
    pub ring: RingArgs,

    /// Also count where the keys of this file go, a line each; - for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub keys: Option<PathBuf>,

    /// List the continuum instead, as ketama_print_continuum() does
    #[arg(long, conflicts_with = "keys")]
    pub points: bool,
}

/// What moves when one ring takes another's place
///
/// Shares are exact, not sampled. The least that had to move is the sum over all servers of how much more each wants
/// than before. Rings that place keys by different hashes can be compared on real keys alone.
#[derive(Args)]
pub struct Diff {
    /// The servers before: a file or a list, as for get
    #[arg(value_name = "OLD", value_hint = ValueHint::FilePath)]
    pub old: OsString,

    /// The servers after
    #[arg(value_name = "NEW", value_hint = ValueHint::FilePath)]
    pub new: OsString,

    #[command(flatten)]
    pub dialect: DialectArgs,

    /// The client after, if it is another one
    #[arg(long, value_parser = dialect(), value_name = "DIALECT")]
    pub new_dialect: Option<Dialect>,

    /// Also count on the keys of this file, a line each; - for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub keys: Option<PathBuf>,

    /// List the keys that move
    #[arg(long, requires = "keys")]
    pub list: bool,

    /// All moves in the table, not the 20 largest
    #[arg(long)]
    pub all: bool,

    /// Exit with status 1 if more than this moves, of all positions or of the keys
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub max_moved: Option<f64>,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse();
    let in_range = number.ok().filter(|number| (0.0..=100.0).contains(number));
    in_range.ok_or_else(|| "expected a number from 0 to 100".to_owned())
}

/// What libketama would read otherwise than a person means
///
/// Exits with status 1 if there is anything to say.
#[derive(Args)]
pub struct Lint {
    /// The server definition file; - for standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// Rewrite the file so that libketama and a person read the same; only findings that a person must settle remain
    #[arg(long)]
    pub fix: bool,

    /// With --fix: write here instead; - for standard output
    #[arg(short, long, value_name = "FILE", requires = "fix", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Do not report this, where it leaves the reading as it is meant. May be repeated
    #[arg(long, value_enum, value_name = "RULE", value_delimiter = ',')]
    pub allow: Vec<Rule>,
}

/// Which dialect and settings explain where keys were found
///
/// Builds all dialects and common rings of other settings from the list of servers, and says how many of the samples
/// each explains, best first.
#[derive(Args)]
pub struct Which {
    /// The servers: a definition file, - for standard input, or a list NAME[=WEIGHT],...
    #[arg(short, long, value_name = "FILE|LIST", value_hint = ValueHint::FilePath)]
    pub servers: OsString,

    /// Where keys were found: lines of a key, white space and the name of its server, with or without :11211
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub samples: PathBuf,
}

/// Draw a ring, or two with what moves between them
///
/// The ring as a circle of coloured arcs, and wanted against got shares as bars. The files' endings, .svg or .png, say
/// what they are to be.
#[derive(Args)]
pub struct Plot {
    /// The rings before and after: files or lists, as for get
    #[arg(value_names = ["OLD", "NEW"], num_args = 2, value_hint = ValueHint::FilePath,
        required_unless_present = "servers", conflicts_with = "servers")]
    pub rings: Vec<OsString>,

    /// One ring: a definition file, - for standard input, or a list NAME[=WEIGHT],...
    #[arg(short, long, value_name = "FILE|LIST", value_hint = ValueHint::FilePath)]
    pub servers: Option<OsString>,

    #[command(flatten)]
    pub dialect: DialectArgs,

    /// The client after, if it is another one
    #[arg(long, value_parser = dialect(), value_name = "DIALECT", requires = "rings", conflicts_with = "servers")]
    pub new_dialect: Option<Dialect>,

    /// The picture to write, .svg or .png; - for SVG on standard output. May be repeated
    #[arg(short, long, value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub output: Vec<PathBuf>,
}

/// Print each change of a file as a diff, until interrupted
#[derive(Args)]
pub struct Watch {
    /// The server definition file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub servers: PathBuf,

    #[command(flatten)]
    pub dialect: DialectArgs,

    /// How often to look, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5, value_parser = interval)]
    pub interval: f64,
}

fn interval(text: &str) -> Result<f64, String> {
    let in_range = text
        .parse()
        .ok()
        .filter(|number| (0.01..=86400.0).contains(number));
    in_range.ok_or_else(|| "expected a number of seconds from 0.01 to 86400".to_owned())
}

/// This machine's lookups a second, one key a call and many
#[derive(Args)]
pub struct Bench {
    #[command(flatten)]
    pub ring: RingArgs,
}

/// Write man pages and completions of shells below a folder
#[derive(Args)]
#[command(hide = true)]
pub struct Generate {
    #[arg(value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
}
