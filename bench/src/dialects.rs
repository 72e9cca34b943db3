//! What lookups in the other dialects cost beside libketama's.

use crate::clock::Rounds;
use crate::contenders::ours::{Call, Library, Listed};
use crate::contenders::{Contender, check};
use crate::keys::{Keys, Kind};
use crate::plan::Plan;
use crate::servers::Servers;
use ketama::Dialect;
use ketama::dialect::KeyHash;

/// The same cost, but for the noise of measuring it.
pub const LEVEL: f64 = 1.05;

/// What lookups in a dialect cost, as multiples of libketama's.
pub struct Cost {
    pub dialect: &'static str,
    /// Whether keys are hashed with MD5.
    pub has_md5: bool,
    pub one: f64,
    pub many: f64,
}

pub fn compare(library: Library, plan: &Plan) -> Vec<Cost> {
    eprintln!("dialects");
    // nginx's ring has 160 points for each unit of weight.
    let servers = Servers::equal(100);
    let keys = Keys::new(Kind::Twenty, plan.peer_keys);
    let [one, many] = [Call::One, Call::Many].map(|call| {
        let listed = |&dialect: &Dialect| Listed::new(library, call, dialect);
        let mut all: Vec<Listed> = Dialect::ALL.iter().map(listed).collect();
        for listed in &mut all {
            listed.build(&servers);
            check(listed, &servers, &keys);
        }
        Rounds::run(plan.dialect_rounds, all.len(), |i| all[i].find(&keys))
    });
    let libketama = Dialect::Libketama as usize;
    let costs = Dialect::ALL
        .iter()
        .enumerate()
        .map(|(index, dialect)| Cost {
            dialect: dialect.name(),
            has_md5: dialect.rules().key_hash == KeyHash::Md5,
            one: one.ratio(index, libketama),
            many: many.ratio(index, libketama),
        });
    costs.collect()
}
