//! This library beside the original and its peers, in rounds in which everyone takes a turn on the
//! same servers and keys. Prints what it finds as Markdown, and writes that with plots.
//!
//! usage: ketama-bench [--quick] TARGET FOLDER, where TARGET has what `make` and tests/prepare.sh
//! put there, and FOLDER receives the report

mod clock;
mod contenders;
mod dialects;
mod dynamic;
mod goals;
mod keys;
mod memory;
mod peers;
mod plan;
mod plots;
mod report;
mod servers;

use contenders::Contender;
use contenders::crates::{Conhash, Hashring, Ketama, Pingora};
use contenders::libmemcached::Libmemcached;
use contenders::libraries::Libraries;
use contenders::original::{Extension, Original};
use contenders::ours::{self, Call, Library, Listed, Rolled};
use contenders::ported::Ported;
use contenders::runtime::Runtime;
use ketama::dialect::{Count, Lookup, Ties};
use ketama::{Dialect, Rules};
use memory::{Counting, Memory};
use plan::Plan;
use report::Report;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_quick = arguments.first().is_some_and(|first| first == "--quick");
    let plan = if is_quick { Plan::QUICK } else { Plan::FULL };
    let [target, output] = &arguments.split_off(usize::from(is_quick))[..] else {
        panic!("usage: ketama-bench [--quick] TARGET FOLDER");
    };
    let (target, output) = (fs::canonicalize(target).unwrap(), Path::new(output));
    let scratch = Scratch::new();
    let report = measure(&target, &scratch.folder, &plan);

    fs::create_dir_all(output).unwrap();
    let text = report.markdown();
    fs::write(output.join("README.md"), &text).unwrap();
    plots::draw(&report.peers, output).unwrap();
    println!("{text}");
}

/// A folder that goes with the program.
struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    fn new() -> Scratch {
        let folder = std::env::temp_dir().join(format!("ketama-bench-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        Scratch { folder }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn measure<'a>(target: &Path, folder: &Path, plan: &'a Plan) -> Report<'a> {
    let library = target.join("release/libketama.so.1");
    let libraries = Libraries::open(&library, folder);
    let front = target.join("reference/libketama.so.1");
    let extension = Extension::open(&extension(target), &front);

    let mut goals = goals::lookups(&libraries, extension, plan, folder);
    goals.extend(goals::builds(libraries.ours, extension, plan, folder));
    let memory: Vec<Memory> = [8, 100, 1_000, 10_000].map(Memory::of_ring).into();
    goals.extend(goals::memory(&memory));
    let (mut contenders, missing) = contenders(libraries.ours, extension, target, folder, plan);
    let peers = peers::compare(&mut contenders, plan);
    goals.extend(goals::leads(&peers.leads));
    let dialects = dialects::compare(libraries.ours, plan);
    goals.extend(goals::dialects(&dialects));
    Report {
        plan,
        version: ours::version(&library),
        goals,
        peers,
        dialects,
        memory,
        about: contenders
            .iter()
            .map(|one| (one.name(), one.about()))
            .collect(),
        missing,
    }
}

fn python(target: &Path) -> PathBuf {
    target.join("venv/bin/python")
}

/// The compiled extension of the PyPI package ketama.
fn extension(target: &Path) -> PathBuf {
    let output = Command::new(python(target))
        .args(["-c", "import ketama; print(ketama.__file__, end='')"])
        .output()
        .expect("the Python of tests/prepare.sh");
    assert!(
        output.status.success(),
        "the PyPI package ketama is missing: see tests/prepare.sh"
    );
    PathBuf::from(String::from_utf8(output.stdout).expect("a path in UTF-8"))
}

type Missing = Vec<(String, String)>;

/// Everyone, the original first; and who is missing.
fn contenders(
    library: Library,
    extension: Extension,
    target: &Path,
    folder: &Path,
    plan: &Plan,
) -> (Vec<Box<dyn Contender>>, Missing) {
    let listed = |call| Box::new(Listed::new(library, call, Dialect::Libketama));
    let mut contenders: Vec<Box<dyn Contender>> = vec![
        Box::new(Original::new(extension, folder)),
        Box::new(Ported::new(extension)),
        Box::new(Rolled::new(library, folder)),
        listed(Call::One),
        listed(Call::Many),
        listed(Call::Packed),
    ];
    let mut missing = Missing::new();
    match Libmemcached::open() {
        Ok(libmemcached) => contenders.push(Box::new(libmemcached)),
        Err(error) => missing.push(("libmemcached".to_owned(), error)),
    }
    contenders.push(Box::new(Ketama::default()));
    contenders.push(Box::new(Pingora::default()));
    contenders.push(Box::new(Hashring::default()));
    contenders.push(Box::new(Conhash::default()));
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("runtimes");
    let mut runtime = |name: &str, command: &mut Command, rules, most_servers| match Runtime::start(
        name,
        command,
        rules,
        most_servers,
        plan.runtime_keys,
        folder,
    ) {
        Ok(runtime) => contenders.push(Box::new(runtime)),
        Err(error) => missing.push((name.to_owned(), error)),
    };
    runtime(
        "npm hashring (Node.js)",
        Command::new("node")
            .arg(scripts.join("in_node.js"))
            .env("NODE_PATH", target.join("node/node_modules")),
        *Dialect::NpmHashring.rules(),
        usize::MAX,
    );
    runtime(
        "uhashring (Python)",
        Command::new(python(target)).arg(scripts.join("in_python.py")),
        Rules {
            count: Count::Integer,
            ties: Ties::LastOwnsAll,
            lookup: Lookup::After,
            ..*Dialect::Libketama.rules()
        },
        // It inserts each point into a list: 10,000 servers would take minutes.
        1000,
    );
    (contenders, missing)
}
