//! This library beside all others: building, then lookups of all kinds of keys.

use crate::clock::{Nanoseconds, Rounds};
use crate::contenders::{Contender, Side, check};
use crate::keys::{Keys, Kind};
use crate::plan::Plan;
use crate::servers::Servers;

/// What was measured of one contender.
pub struct Row {
    pub name: String,
    pub time: Nanoseconds,
    /// How many times faster it is than the original, ported where that crashes.
    pub ratio: f64,
}

/// What was measured in the same rounds.
pub struct Table {
    pub servers: usize,
    pub rows: Vec<Row>,
}

/// How many times faster our bulk lookups are than another contender's.
pub struct Lead {
    pub peer: String,
    pub servers: usize,
    pub kind: Kind,
    pub ratio: f64,
}

#[derive(Default)]
pub struct Peers {
    pub builds: Vec<Table>,
    pub lookups: Vec<(Kind, Vec<Table>)>,
    pub leads: Vec<Lead>,
}

/// `contenders`: first the original and its port.
pub fn compare(contenders: &mut [Box<dyn Contender>], plan: &Plan) -> Peers {
    let mut peers = Peers {
        lookups: Kind::ALL.map(|kind| (kind, Vec::new())).into(),
        ..Peers::default()
    };
    let keys = Kind::ALL.map(|kind| Keys::new(kind, plan.peer_keys));
    for &(count, rounds) in plan.servers {
        eprintln!("{count} servers");
        let able = contenders
            .iter_mut()
            .filter(|one| one.most_servers() >= count);
        let mut all: Vec<_> = able.collect();
        let generations: Vec<_> = (0..rounds)
            .map(|round| Servers::new(count, round))
            .collect();
        peers.builds.push(builds(&mut all, &generations));
        let servers = generations.last().expect("a round");
        for contender in all.iter_mut().filter(|one| one.builder().is_none()) {
            contender.build(servers);
        }
        for ((kind, tables), keys) in peers.lookups.iter_mut().zip(&keys) {
            for contender in &mut all {
                check(contender.as_mut(), servers, keys);
            }
            let rounds = Rounds::run(plan.peer_rounds, all.len(), |i| all[i].find(keys));
            tables.push(table(count, &rounds, all.iter().map(|one| one.name())));
            peers.leads.extend(leads(count, *kind, &rounds, &all));
        }
    }
    peers
}

/// A generation of servers a round, so that no ring is known.
fn builds(contenders: &mut [&mut Box<dyn Contender>], generations: &[Servers]) -> Table {
    let named = |(index, one): (usize, &&mut Box<dyn Contender>)| Some((index, one.builder()?));
    let (indexes, names): (Vec<_>, Vec<_>) =
        contenders.iter().enumerate().filter_map(named).unzip();
    let mut turn = 0;
    let rounds = Rounds::run(generations.len(), indexes.len(), |i| {
        let time = contenders[indexes[i]].build(&generations[turn / indexes.len()]);
        turn += 1;
        time
    });
    table(generations[0].len(), &rounds, names.into_iter())
}

fn table(servers: usize, rounds: &Rounds, names: impl Iterator<Item = String>) -> Table {
    let row = |(index, name)| Row {
        name,
        time: rounds.median(index),
        ratio: rounds.ratio(0, index),
    };
    Table {
        servers,
        rows: names.enumerate().map(row).collect(),
    }
}

/// How far each way of looking many keys up is ahead of each peer.
fn leads(
    servers: usize,
    kind: Kind,
    rounds: &Rounds,
    contenders: &[&mut Box<dyn Contender>],
) -> Vec<Lead> {
    let of = |side: Side| {
        let all = contenders.iter().enumerate();
        let some = all.filter(move |(_, contender)| contender.side() == side);
        some.map(|(index, _)| index)
    };
    let pairs = of(Side::OursBulk).flat_map(|ours| of(Side::Peer).map(move |peer| (ours, peer)));
    pairs
        .map(|(ours, peer)| Lead {
            peer: contenders[peer].name(),
            servers,
            kind,
            ratio: rounds.ratio(peer, ours),
        })
        .collect()
}
