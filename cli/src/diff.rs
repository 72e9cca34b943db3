//! What moves when one ring takes another's place.

mod print;

use crate::args::Diff;
use crate::failure::{Failure, Status};
use crate::keys;
use crate::output::{Output, shown};
use crate::servers::{Named, check_stdin};
use crate::shares::shares;
use ketama::Error;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub use print::{json, summary};

/// A server of one ring or of both, by its name: those of one name are one.
pub struct Side {
    pub name: Box<[u8]>,
    pub old: Part,
    pub new: Part,
    /// The shares that go from it and to it.
    pub gives: f64,
    pub takes: f64,
}

/// What a server has in one ring.
#[derive(Clone, Copy, Default)]
pub struct Part {
    pub is_there: bool,
    pub wanted: f64,
    pub got: f64,
}

/// What goes from one server to another.
#[derive(Clone, Copy)]
pub struct Move {
    /// Places in the list of servers.
    pub from: usize,
    pub to: usize,
    /// The share of all positions; `None` where no comparison is exact.
    pub share: Option<f64>,
    pub keys: Option<u64>,
}

/// Keys that were counted.
#[derive(Clone, Copy, Default)]
pub struct Keys {
    pub total: u64,
    pub moved: u64,
}

impl Keys {
    pub fn share(&self) -> f64 {
        self.moved as f64 / self.total.max(1) as f64
    }
}

pub struct Difference {
    pub servers: Vec<Side>,
    /// The largest first.
    pub moves: Vec<Move>,
    /// The share of all positions that moves; `None` where the rings hash keys differently.
    pub moved: Option<f64>,
    /// The least that had to move for what servers want, and for what they get.
    pub least_wanted: f64,
    pub least_got: f64,
    pub keys: Option<Keys>,
    /// Keys, with places in the list of servers.
    listed: Vec<(Box<[u8]>, usize, usize)>,
    /// Places in the list of the servers of either ring.
    pub old_places: Vec<usize>,
    pub new_places: Vec<usize>,
}

pub fn run(args: &Diff, output: Output) -> Result<Status, Failure> {
    let keys = args.keys.as_deref().map(Path::as_os_str);
    check_stdin([Some(&*args.old), Some(&*args.new), keys])?;
    let old = Named::new(&args.old, args.dialect.dialect)?;
    let new = Named::new(&args.new, args.new_dialect.unwrap_or(args.dialect.dialect))?;
    let mut difference = Difference::new(&old, &new);
    match &args.keys {
        Some(path) => {
            difference.count(&old, &new, path, args.list)?;
            if difference.keys.is_some_and(|keys| keys.total == 0) {
                return Err(Failure::new(format!(
                    "{}: there is no key in it; give a file with a key a line",
                    shown(path.as_os_str().as_bytes())
                )));
            }
        }
        None if difference.moved.is_none() => {
            return Err(Failure::new(format!(
                "{} and {}: {} and {} place keys by different hashes, so shares say nothing; count real keys \
                 with --keys FILE",
                old.name, new.name, old.dialect, new.dialect
            )));
        }
        None => {}
    }
    let is_too_much = args
        .max_moved
        .is_some_and(|percent| difference.exceeds(percent));
    print::print(&difference, &old, &new, args, is_too_much, output)?;
    Ok(Status::bad_news_if(is_too_much))
}

impl Difference {
    pub fn new(old: &Named, new: &Named) -> Difference {
        let mut servers: Vec<Side> = Vec::new();
        let mut places = BTreeMap::new();
        let mut old_places = Vec::new();
        let mut new_places = Vec::new();
        for (named, is_new) in [(old, false), (new, true)] {
            for (server, share) in named.ring.servers().iter().zip(shares(&named.ring)) {
                let place = *places.entry(&server.name).or_insert_with(|| {
                    servers.push(Side {
                        name: server.name.clone(),
                        old: Part::default(),
                        new: Part::default(),
                        gives: 0.0,
                        takes: 0.0,
                    });
                    servers.len() - 1
                });
                if is_new {
                    &mut new_places
                } else {
                    &mut old_places
                }
                .push(place);
                let side = &mut servers[place];
                let part = if is_new { &mut side.new } else { &mut side.old };
                part.is_there = true;
                part.wanted += share.wanted;
                part.got += share.got;
            }
        }
        let gains = |of: fn(&Part) -> f64| {
            servers
                .iter()
                .map(|side| (of(&side.new) - of(&side.old)).max(0.0))
                .sum()
        };
        let mut difference = Difference {
            moves: Vec::new(),
            moved: None,
            least_wanted: gains(|part| part.wanted),
            least_got: gains(|part| part.got),
            keys: None,
            listed: Vec::new(),
            servers,
            old_places,
            new_places,
        };
        match old.ring.compare(&new.ring) {
            Ok(comparison) => {
                difference.moved = Some(comparison.moved);
                let mut moves: BTreeMap<(usize, usize), f64> = BTreeMap::new();
                for one in comparison.moves {
                    let places = difference.places(one.from, one.to);
                    *moves.entry(places).or_default() += one.share;
                }
                for (&(from, to), share) in &moves {
                    difference.servers[from].gives += share;
                    difference.servers[to].takes += share;
                }
                difference.moves = moves
                    .into_iter()
                    .map(|((from, to), share)| Move {
                        from,
                        to,
                        share: Some(share),
                        keys: None,
                    })
                    .collect();
            }
            Err(Error::DifferentHashes) => {}
            Err(error) => unreachable!("{error}"),
        }
        difference.sort();
        difference
    }

    fn places(&self, from: u32, to: u32) -> (usize, usize) {
        (self.old_places[from as usize], self.new_places[to as usize])
    }

    /// Counts what moves of a file's keys, and perhaps lists those.
    fn count(
        &mut self,
        old: &Named,
        new: &Named,
        path: &Path,
        is_listing: bool,
    ) -> Result<(), Failure> {
        let mut counted = Keys::default();
        let mut moves: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        let mut listed = Vec::new();
        keys::for_each_group(path, b'\n', true, |keys| {
            counted.total += keys.len() as u64;
            let owners = old
                .ring
                .find_many(keys)
                .into_iter()
                .zip(new.ring.find_many(keys));
            for (key, (from, to)) in keys.iter().zip(owners) {
                let (from, to) = self.places(from, to);
                if from != to {
                    counted.moved += 1;
                    *moves.entry((from, to)).or_default() += 1;
                    if is_listing {
                        listed.push(((*key).into(), from, to));
                    }
                }
            }
            Ok(())
        })?;
        for one in &mut self.moves {
            one.keys = Some(moves.remove(&(one.from, one.to)).unwrap_or(0));
        }
        // Where no comparison is exact there is none of them yet.
        self.moves
            .extend(moves.into_iter().map(|((from, to), keys)| Move {
                from,
                to,
                share: self.moved.map(|_| 0.0),
                keys: Some(keys),
            }));
        self.keys = Some(counted);
        self.listed = listed;
        self.sort();
        Ok(())
    }

    fn sort(&mut self) {
        self.moves.sort_by(|a, b| {
            let share = |one: &Move| one.share.unwrap_or(0.0);
            share(b).total_cmp(&share(a)).then(b.keys.cmp(&a.keys))
        });
    }

    /// Whether more of the positions or of the keys moves.
    fn exceeds(&self, percent: f64) -> bool {
        // Products of whole numbers: a quotient may be rounded up past its limit.
        let of_keys = |keys: Keys| keys.moved as f64 * 100.0 > keys.total as f64 * percent;
        self.moved.is_some_and(|moved| moved > percent / 100.0) || self.keys.is_some_and(of_keys)
    }
}
