//! Goals of lookups, with 8 and with 100 servers: ratios to the original.

use super::{Bound, Goal};
use crate::clock::Rounds;
use crate::contenders::libraries::{Libraries, Simd};
use crate::contenders::original::{Extension, Original};
use crate::contenders::ours::{Call, Library, Listed, Rolled};
use crate::contenders::{Contender, check};
use crate::keys::{Keys, Kind};
use crate::plan::Plan;
use crate::servers::Servers;
use ketama::Dialect;
use std::path::Path;

const SERVERS: [usize; 2] = [8, 100];
const BULK: [Call; 2] = [Call::Many, Call::Packed];

/// What a goal asks for with 8 and with 100 servers.
struct Target {
    at_least: [f64; 2],
    stretch: Option<[f64; 2]>,
}

const ONE: Target = Target {
    at_least: [2.2, 2.6],
    stretch: Some([2.4, 2.9]),
};
const DEPENDENT: Target = Target {
    at_least: [1.8, 2.0],
    stretch: Some([2.0, 2.2]),
};
const CACHED: Target = Target {
    at_least: [38.0, 42.0],
    stretch: Some([45.0, 50.0]),
};
const LONG: Target = Target {
    at_least: [7.0, 8.0],
    stretch: Some([9.0, 9.0]),
};

fn bulk(simd: Simd) -> Target {
    match simd {
        Simd::Avx512 => Target {
            at_least: [30.0, 27.0],
            stretch: Some([40.0, 35.0]),
        },
        Simd::Avx2 => Target {
            at_least: [14.0, 12.0],
            stretch: None,
        },
        Simd::Scalar => Target {
            at_least: [1.9, 2.2],
            stretch: None,
        },
    }
}

impl Target {
    /// `side`: an index of `SERVERS`.
    /// `rounds`: the rounds, in which the original is the first, and who is measured.
    fn goal(&self, what: String, side: usize, rounds: Option<(&Rounds, usize)>) -> Goal {
        Goal {
            what,
            servers: SERVERS[side].to_string(),
            times: rounds.map(|(rounds, index)| (rounds.median(0), rounds.median(index))),
            reached: rounds.map(|(rounds, index)| rounds.ratio(0, index)),
            unit: "x",
            bound: Bound::AtLeast,
            goal: self.at_least[side],
            stretch: self.stretch.map(|stretch| stretch[side]),
        }
    }
}

/// Contenders with the same ring, in turn, after their answers were compared.
fn run(
    contenders: &mut [&mut dyn Contender],
    servers: &Servers,
    keys: &Keys,
    rounds: usize,
) -> Rounds {
    for contender in contenders.iter_mut() {
        check(*contender, servers, keys);
    }
    let number = contenders.len();
    Rounds::run(rounds, number, |i| contenders[i].find(keys))
}

/// The goals of lookups.
pub fn lookups(
    libraries: &Libraries,
    extension: Extension,
    plan: &Plan,
    folder: &Path,
) -> Vec<Goal> {
    let mut goals = Vec::new();
    for (side, count) in SERVERS.into_iter().enumerate() {
        eprintln!("goals with {count} servers");
        let servers = Servers::new(count, 0);
        let mut original = Original::new(extension, folder);
        original.build(&servers);
        let mut rolled = Rolled::new(libraries.ours, folder);
        rolled.build(&servers);
        assert_eq!(sorted(original.points()), sorted(rolled.points()));
        goals.extend(out_of_cache(
            libraries,
            &mut original,
            &mut rolled,
            &servers,
            plan,
            side,
        ));
        goals.extend(other_keys(
            libraries.ours,
            &mut original,
            &servers,
            plan,
            side,
        ));
    }
    goals
}

fn sorted(mut points: Vec<(u32, String)>) -> Vec<(u32, String)> {
    points.sort();
    points
}

/// Keys of 20 bytes, one by one, and in bulk with each instruction set.
fn out_of_cache(
    libraries: &Libraries,
    original: &mut Original,
    rolled: &mut Rolled,
    servers: &Servers,
    plan: &Plan,
    side: usize,
) -> Vec<Goal> {
    let keys = Keys::new(Kind::Twenty, plan.keys);
    let mut paths: Vec<(Simd, Call, Listed)> = Vec::new();
    for (simd, library) in libraries.copies() {
        paths.extend(BULK.map(|call| (simd, call, listed(library, call, servers))));
    }
    let mut all: Vec<&mut dyn Contender> = vec![original, rolled];
    all.extend(
        paths
            .iter_mut()
            .map(|(.., path)| path as &mut dyn Contender),
    );
    let rounds = run(&mut all, servers, &keys, plan.rounds);
    let dependent = Rounds::run(plan.rounds, 2, |i| match i {
        0 => original.find_dependent(&keys),
        _ => rolled.find_dependent(&keys),
    });

    let what = "`ketama_get_server`, keys independent".to_owned();
    let mut goals = vec![ONE.goal(what, side, Some((&rounds, 1)))];
    let what = "`ketama_get_server`, each key hangs on the last answer".to_owned();
    goals.push(DEPENDENT.goal(what, side, Some((&dependent, 1))));
    for simd in Simd::ALL {
        for call in BULK {
            let found = paths
                .iter()
                .position(|path| (path.0, path.1) == (simd, call));
            let what = format!("`{}`, {}", call.name(), simd.text());
            goals.push(bulk(simd).goal(what, side, found.map(|path| (&rounds, 2 + path))));
        }
    }
    goals
}

/// Keys that stay in cache, and long ones, in bulk.
fn other_keys(
    library: Library,
    original: &mut Original,
    servers: &Servers,
    plan: &Plan,
    side: usize,
) -> Vec<Goal> {
    let [mut many, mut packed] = BULK.map(|call| listed(library, call, servers));
    let mut all: [&mut dyn Contender; 3] = [original, &mut many, &mut packed];
    let mut goals = Vec::new();
    let mut add = |target: Target, rounds: Rounds, keys: &str| {
        goals.extend(BULK.into_iter().zip(1..).map(|(call, index)| {
            let what = format!("`{}`, {keys}", call.name());
            target.goal(what, side, Some((&rounds, index)))
        }));
    };
    let long = Keys::new(Kind::Long, plan.long_keys);
    let rounds = run(&mut all, servers, &long, plan.rounds);
    add(LONG, rounds, "keys of 100 to 200 bytes");

    let cached = Keys::new(Kind::Twenty, plan.cached_keys);
    for contender in &mut all {
        check(*contender, servers, &cached);
    }
    let rounds = Rounds::run(plan.cached_rounds, all.len(), |i| {
        // The others have taken the cache meanwhile.
        all[i].find(&cached);
        all[i].find(&cached)
    });
    add(CACHED, rounds, "keys in cache");
    goals
}

fn listed(library: Library, call: Call, servers: &Servers) -> Listed {
    let mut listed = Listed::new(library, call, Dialect::Libketama);
    listed.build(servers);
    listed
}
