//! Goals of making rings.

use super::{Bound, Goal};
use crate::clock::Rounds;
use crate::contenders::Contender;
use crate::contenders::original::{Extension, Original};
use crate::contenders::ours::{Call, Library, Listed, Rolled};
use crate::contenders::ported::Ported;
use crate::plan::Plan;
use crate::servers::Servers;
use ketama::Dialect;
use std::path::Path;

/// The goals of making rings.
pub fn builds(library: Library, extension: Extension, plan: &Plan, folder: &Path) -> Vec<Goal> {
    eprintln!("goals of building");
    let ours = || Listed::new(library, Call::One, Dialect::Libketama);
    let (mut original, mut ported) = (Original::new(extension, folder), Ported::new(extension));
    let (mut rolled, mut made) = (Rolled::new(library, folder), ours());
    let mut generation = 0;
    let mut fresh = |count| {
        generation += 1;
        Servers::new(count, generation)
    };
    let rolls = Rounds::run(plan.roll_rounds, 3, |i| match i {
        0 => original.build(&fresh(100)),
        1 => rolled.build(&fresh(100)),
        _ => made.build(&fresh(100)),
    });
    let (few, many) = (100, 10_000);
    let mut large = ours();
    let growth = Rounds::run(plan.growth_rounds, 3, |i| match i {
        0 => ported.build(&fresh(many)),
        1 => large.build(&fresh(many)),
        // As many servers, in rings of a few.
        _ => (0..many / few).map(|_| made.build(&fresh(few))).sum(),
    });
    let goals = [
        (
            "`ketama_roll` of a fresh file",
            "100",
            &rolls,
            1,
            30.0,
            45.0,
        ),
        (
            "`ketama_ring_new`, to the original's roll",
            "100",
            &rolls,
            2,
            45.0,
            65.0,
        ),
        (
            "`ketama_ring_new`, to the original's loop, ported",
            "10,000",
            &growth,
            1,
            22.0,
            35.0,
        ),
    ];
    let ratios = goals
        .into_iter()
        .map(|(what, servers, rounds, index, goal, stretch)| Goal {
            what: what.to_owned(),
            servers: servers.to_owned(),
            times: Some((rounds.median(0), rounds.median(index))),
            reached: Some(rounds.ratio(0, index)),
            unit: "x",
            bound: Bound::AtLeast,
            goal,
            stretch: Some(stretch),
        });
    let [of_few, of_many] = [2, 1].map(|index| growth.median(index) / many as f64);
    let linear = Goal {
        what: "`ketama_ring_new`, time a server, to that with 100".to_owned(),
        servers: "10,000".to_owned(),
        times: Some((of_few, of_many)),
        reached: Some(growth.ratio(1, 2)),
        unit: "x",
        bound: Bound::AtMost,
        goal: 1.3,
        stretch: None,
    };
    ratios.chain([linear]).collect()
}
