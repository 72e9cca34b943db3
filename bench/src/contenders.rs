//! Who is measured: libraries that make rings and look keys up.

pub mod crates;
pub mod libmemcached;
pub mod libraries;
pub mod original;
pub mod ours;
pub mod ported;
pub mod runtime;

use crate::clock::Nanoseconds;
use crate::keys::Keys;
use crate::servers::Servers;
use ketama::{Point, Ring, Rules};

/// The points of a server of average weight, where one has to say it.
pub const POINTS_A_SERVER: usize = 160;

#[derive(Clone, Copy, PartialEq)]
pub enum Side {
    OursSingle,
    OursBulk,
    Peer,
}

/// One way to look keys up.
pub trait Contender {
    /// Its name in tables and plots.
    fn name(&self) -> String;

    /// What it is: its version, and what makes the comparison fair.
    fn about(&self) -> String;

    fn side(&self) -> Side {
        Side::Peer
    }

    /// The rules that its rings follow, if this library has them; ties aside.
    fn rules(&self) -> Option<Rules> {
        None
    }

    /// The largest list of servers that it takes.
    fn most_servers(&self) -> usize {
        usize::MAX
    }

    /// What makes its rings; `None` where it shares that with another contender.
    fn builder(&self) -> Option<String> {
        Some(self.name())
    }

    /// Makes the ring of these servers in place of the last.
    fn build(&mut self, servers: &Servers) -> Nanoseconds;

    /// Gets ready for these keys, and tells where it sends them, or the first of them.
    fn answers(&mut self, keys: &Keys, servers: &Servers) -> Vec<u32>;

    /// Looks up the keys of the last `answers`. Returns the time a key.
    fn find(&mut self, keys: &Keys) -> Nanoseconds;
}

/// Compares a contender's answers with our rings; a benchmark of wrong answers is worth nothing.
pub fn check(contender: &mut dyn Contender, servers: &Servers, keys: &Keys) {
    let answers = contender.answers(keys, servers);
    assert!(!answers.is_empty());
    let Some(rules) = contender.rules() else {
        return;
    };
    let ring = Ring::with_rules(&servers.list, &rules).expect("a ring");
    let points: Vec<Point> = ring.points().collect();
    for (key, theirs) in keys.iter().zip(answers) {
        let ours = points[ring.find_point(key)];
        // Who owns a point that servers share may hang on an unstable sort.
        let is_shared = || {
            points.contains(&Point {
                server: theirs,
                ..ours
            })
        };
        assert!(
            ours.server == theirs || is_shared(),
            "{} sends {:?} to {theirs}, and we to {}",
            contender.name(),
            String::from_utf8_lossy(key),
            ours.server,
        );
    }
}

/// A dependency's version, as Cargo.toml pins it.
fn pinned(dependency: &str) -> &'static str {
    let manifest = include_str!("../Cargo.toml");
    let line = manifest.lines().find(|line| line.starts_with(dependency));
    let version = line.and_then(|line| line.split("\"=").nth(1));
    version
        .and_then(|version| version.split('"').next())
        .expect("a pinned version")
}
