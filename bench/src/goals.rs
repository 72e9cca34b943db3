//! The goals that this library has set itself, and what is reached of them.

mod builds;
mod lookups;

pub use builds::builds;
pub use lookups::lookups;

use crate::clock::Nanoseconds;
use crate::dialects::{Cost, LEVEL};
use crate::keys::Kind;
use crate::memory::Memory;
use crate::peers::Lead;
use crate::report::thousands;

pub enum Bound {
    AtLeast,
    AtMost,
}

pub struct Goal {
    pub what: String,
    pub servers: String,
    /// The times behind a ratio: of the original, or what takes its place, and ours.
    pub times: Option<(Nanoseconds, Nanoseconds)>,
    /// `None` where this processor cannot say.
    pub reached: Option<f64>,
    pub unit: &'static str,
    pub bound: Bound,
    pub goal: f64,
    pub stretch: Option<f64>,
}

impl Goal {
    pub fn verdict(&self) -> &'static str {
        let Some(reached) = self.reached else {
            return "not on this processor";
        };
        let is_within = |bound: f64| match self.bound {
            Bound::AtLeast => reached >= bound,
            Bound::AtMost => reached <= bound,
        };
        match (is_within(self.goal), self.stretch) {
            (false, _) => "missed",
            (true, Some(stretch)) if is_within(stretch) => "stretch",
            (true, _) => "reached",
        }
    }
}

/// The goals of memory.
pub fn memory(rings: &[Memory]) -> impl Iterator<Item = Goal> {
    rings.iter().map(|ring| Goal {
        what: "memory of a ring, names and all".to_owned(),
        servers: thousands(ring.servers),
        times: None,
        reached: Some(ring.bytes_a_point()),
        unit: " bytes a point",
        bound: Bound::AtMost,
        goal: 8.7,
        stretch: Some(7.0),
    })
}

/// The goals of bulk lookups beside those of all peers: the closest of them.
pub fn leads(leads: &[Lead]) -> impl Iterator<Item = Goal> {
    let closest = |is_long: bool| {
        let those = leads
            .iter()
            .filter(move |lead| (lead.kind == Kind::Long) == is_long);
        those.min_by(|a, b| a.ratio.total_cmp(&b.ratio))
    };
    let goal = |lead: &Lead, keys: &str| Goal {
        what: format!(
            "bulk lookups beside every peer, keys {keys}; closest: {}, keys of {}",
            lead.peer,
            lead.kind.name()
        ),
        servers: thousands(lead.servers),
        times: None,
        reached: Some(lead.ratio),
        unit: "x",
        bound: Bound::AtLeast,
        goal: 1.0,
        stretch: None,
    };
    let short = closest(false).map(|lead| goal(lead, "up to 60 bytes"));
    let long = closest(true).map(|lead| goal(lead, "of 100 to 200 bytes"));
    short.into_iter().chain(long)
}

/// The goals of the other dialects: the dearest of those with MD5, and of the others.
pub fn dialects(dialects: &[Cost]) -> Vec<Goal> {
    let mut goals = Vec::new();
    for has_md5 in [true, false] {
        let those = dialects.iter().filter(|cost| cost.has_md5 == has_md5);
        let one = those.clone().max_by(|a, b| a.one.total_cmp(&b.one));
        let many = those.max_by(|a, b| a.many.total_cmp(&b.many));
        let hash = if has_md5 {
            "with MD5"
        } else {
            "with other hashes"
        };
        let mut goal = |how: &str, dialect: &str, cost| {
            goals.push(Goal {
                what: format!(
                    "{how} lookups of dialects {hash}, to libketama's; dearest: {dialect}"
                ),
                servers: "100".to_owned(),
                times: None,
                reached: Some(cost),
                unit: "x",
                bound: Bound::AtMost,
                goal: LEVEL,
                stretch: None,
            });
        };
        if let (Some(one), Some(many)) = (one, many) {
            goal("single", one.dialect, one.one);
            goal("bulk", many.dialect, many.many);
        }
    }
    goals
}
