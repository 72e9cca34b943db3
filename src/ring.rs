//! The ring itself: sorted points, the search for a key's point, and the walk from there.
#![deny(unsafe_code)]

mod arcs;
mod build;
mod index;
mod sort;

use crate::dialect::{Dialect, KeyHash, Lookup, Rules};
use crate::error::{Error, try_collect};
use crate::hash::bytewise::{Crc32, Fnv1a64, OneAtATime};
use crate::hash::lanes::{Keys, LANES, NOTHING, Packed, Places, many};
use crate::hash::md5::FirstWord;
use crate::hash::simd::Simd;
use crate::servers::{self, Definition};
use crate::stamp::{self, Stamp};
use std::io::Read;
use std::path::Path;

use index::{Index, Owners};

pub use arcs::{Comparison, Move};

/// A cache server: its name as the ring hashes it, and its weight.
///
/// A name is opaque text of 1 to [`MAX_NAME`](Server::MAX_NAME) bytes, usually `host:port`. Of a
/// weight, only its share of the sum of all weights matters, but with
/// [`Count::TimesWeight`](crate::dialect::Count::TimesWeight).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Server<N = Box<[u8]>> {
    pub name: N,
    pub weight: u64,
}

impl Server {
    /// The longest name that a ring accepts, in bytes.
    pub const MAX_NAME: usize = 1023;
}

impl<N: AsRef<[u8]>> Server<N> {
    fn borrowed(&self) -> Server<&[u8]> {
        Server {
            name: self.name.as_ref(),
            weight: self.weight,
        }
    }
}

/// One point of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    /// Its position on the circle.
    pub point: u32,
    /// The index of the server that it belongs to.
    pub server: u32,
}

/// A ketama continuum. Immutable, so that any number of threads may share one.
#[derive(Clone, Debug)]
pub struct Ring {
    servers: Box<[Server]>,
    /// The positions of the points; never empty.
    index: Index,
    /// The servers of keys, by the points below them.
    owners: Owners,
    /// Whether a server owns any point, and how many do.
    has_points: Box<[bool]>,
    servers_with_points: usize,
    /// How many of the 2^32 positions each server owns.
    positions_owned: Box<[u64]>,
    rules: Rules,
    simd: Simd,
}

impl Ring {
    /// Makes the ring of these servers with libketama's rules.
    ///
    /// The order of the list matters where two servers share a point: it belongs to the one listed
    /// first. A server listed twice counts as two. A server whose share of the weights is below
    /// about 1/40 of an equal share gets no point.
    pub fn new<N: AsRef<[u8]>>(servers: &[Server<N>]) -> Result<Ring, Error> {
        Ring::with_dialect(servers, Dialect::Libketama)
    }

    /// Makes the ring of these servers with a client's rules.
    pub fn with_dialect<N: AsRef<[u8]>>(
        servers: &[Server<N>],
        dialect: Dialect,
    ) -> Result<Ring, Error> {
        Ring::with_rules(servers, dialect.rules())
    }

    /// Makes the ring of these servers with rules of one's own.
    pub fn with_rules<N: AsRef<[u8]>>(servers: &[Server<N>], rules: &Rules) -> Result<Ring, Error> {
        build::ring(servers, rules)
    }

    /// Makes the ring of a server definition file with a client's rules.
    ///
    /// The file is read strictly: a line a server, its name and its weight in decimal, with white
    /// space around them. A `#` at the beginning of a word makes the rest of the line a comment.
    /// CRLF, a missing last newline and a UTF-8 byte order mark are taken; anything else is an
    /// error that says where and what was expected.
    pub fn from_file(path: impl AsRef<Path>, dialect: Dialect) -> Result<Ring, Error> {
        Ok(Ring::read(path.as_ref(), dialect)?.0)
    }

    /// The same, with the file's stamp and whether that is settled.
    pub(crate) fn read(path: &Path, dialect: Dialect) -> Result<(Ring, Stamp, bool), Error> {
        let (definitions, stamp, settled) = stamp::read(path, |mut file| {
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            match servers::read_strictly(&text) {
                Err(Error::OutOfMemory) => Err(Error::OutOfMemory),
                said => Ok(said),
            }
        })?;
        let ring = Ring::from_definitions(&definitions?, dialect.rules())?;
        Ok((ring, stamp, settled))
    }

    /// Makes the ring of the text of a server definition file, read as
    /// [`from_file`](Ring::from_file) does.
    pub fn from_text(text: &[u8], rules: &Rules) -> Result<Ring, Error> {
        Ring::from_definitions(&servers::read_strictly(text)?, rules)
    }

    fn from_definitions(definitions: &[Definition], rules: &Rules) -> Result<Ring, Error> {
        let servers = try_collect(definitions.iter().map(|one| one.server.borrowed()))?;
        Ring::with_rules(&servers, rules).map_err(|error| match error {
            Error::ZeroWeight { server } => definitions[server].zero_weight,
            error => error,
        })
    }

    /// The ring of these servers and one more, by the same rules.
    pub fn with_server<N: AsRef<[u8]>>(&self, server: Server<N>) -> Result<Ring, Error> {
        let mut servers = Vec::new();
        servers.try_reserve_exact(self.servers.len() + 1)?;
        servers.extend(self.servers.iter().map(Server::borrowed));
        servers.push(server.borrowed());
        Ring::with_rules(&servers, &self.rules)
    }

    /// The ring without the servers of this name, by the same rules.
    pub fn without_server(&self, name: impl AsRef<[u8]>) -> Result<Ring, Error> {
        let name = name.as_ref();
        let is_other = |server: &&Server| *server.name != *name;
        let mut others = Vec::new();
        others.try_reserve_exact(self.servers.len())?;
        others.extend(self.servers.iter().filter(is_other).map(Server::borrowed));
        if others.len() == self.servers.len() {
            return Err(Error::UnknownServer);
        }
        Ring::with_rules(&others, &self.rules)
    }

    /// The rules that the ring was made with.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The instructions that keys are hashed and looked up with: `avx512`, `avx2` or `scalar`.
    pub fn instructions(&self) -> &'static str {
        self.simd.name()
    }

    /// The servers in the order given to [`new`](Ring::new).
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The points in ring order: ascending, equal ones in the order that the rules give them.
    pub fn points(&self) -> impl ExactSizeIterator<Item = Point> {
        let positions = self.index.positions().iter().enumerate();
        positions.map(|(at, &point)| Point {
            point,
            server: self.owner(at),
        })
    }

    /// A key's position on the circle.
    pub fn hash(&self, key: impl AsRef<[u8]>) -> u32 {
        self.rules.key_hash.position(self.simd, key.as_ref())
    }

    /// The index, in [`servers`](Ring::servers), of the server that this key belongs to.
    pub fn find(&self, key: impl AsRef<[u8]>) -> usize {
        self.find_hash(self.hash(key))
    }

    /// The index, in [`points`](Ring::points), of the point that this key belongs to.
    pub fn find_point(&self, key: impl AsRef<[u8]>) -> usize {
        self.point_of(self.hash(key))
    }

    /// The index of the server that keys at this position belong to.
    pub fn find_hash(&self, position: u32) -> usize {
        self.owners.get(self.below(position)) as usize
    }

    /// The positions of many keys on the circle, in their order.
    pub fn hash_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Vec<u32> {
        words_of(keys, |keys, positions| {
            self.hash_each(keys, |places, words| {
                hand_out(places, words, |place, found| {
                    positions[place..place + found.len()].copy_from_slice(found);
                });
            });
        })
    }

    /// The servers of many keys, in their order.
    pub fn find_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Vec<u32> {
        words_of(keys, |keys, servers| {
            self.find_each(keys, |place, found| {
                servers[place..place + found.len()].copy_from_slice(found);
            });
        })
    }

    /// The servers of keys that stand one behind the other, as Apache Arrow lays out strings: key
    /// `i` is the bytes from `offsets[i]` to before `offsets[i + 1]`.
    pub fn find_packed(&self, bytes: &[u8], offsets: &[u32]) -> Result<Vec<u32>, Error> {
        let keys = Packed::new(bytes, offsets).map_err(|key| Error::Offsets { key })?;
        let mut servers = vec![0; keys.len()];
        self.find_each(keys, |place, found| {
            servers[place..place + found.len()].copy_from_slice(found);
        });
        Ok(servers)
    }

    /// Hands out the servers of keys, each once: those of keys one behind the other, with
    /// the place of the first.
    #[inline]
    pub(crate) fn find_each<'keys>(
        &self,
        keys: impl Keys<'keys>,
        mut found: impl FnMut(usize, &[u32]),
    ) {
        let more = self.more();
        let find = |places: Places, words: &mut [u32]| {
            if more > 0 {
                words
                    .iter_mut()
                    .for_each(|word| *word = word.wrapping_add(more));
            }
            self.owners.find(self.simd, &self.index, words);
            hand_out(places, words, &mut found);
        };
        self.hash_each(keys, find);
    }

    /// Hands out the positions of keys, a group at once.
    #[inline]
    fn hash_each<'keys>(&self, keys: impl Keys<'keys>, found: impl FnMut(Places, &mut [u32])) {
        match self.rules.key_hash {
            KeyHash::Md5 => many::<FirstWord>(self.simd, keys, found),
            KeyHash::OneAtATime => many::<OneAtATime>(self.simd, keys, found),
            KeyHash::Fnv1a64 => many::<Fnv1a64>(self.simd, keys, found),
            KeyHash::Crc32 => many::<Crc32>(self.simd, keys, found),
        }
    }

    /// The distinct servers met from a key's place around the ring, its own first. Servers with no
    /// point never appear. The way is that of the lookup: to higher positions, or with
    /// [`Lookup::AtOrBefore`] to lower ones.
    pub fn walk<'ring>(&'ring self, key: &[u8]) -> impl Iterator<Item = usize> + use<'ring> {
        let mut seen = vec![0u64; self.servers.len().div_ceil(64)];
        let is_first_time = move |&server: &u32| {
            let (word, bit) = (&mut seen[server as usize / 64], 1 << (server % 64));
            let is_new = *word & bit == 0;
            *word |= bit;
            is_new
        };
        self.owners_from(self.hash(key))
            .filter(is_first_time)
            // Every server with a point was met: the rest of the ring has no other.
            .take(self.servers_with_points)
            .map(|server| server as usize)
    }

    /// The first server in the order of [`walk`](Ring::walk) that `is_alive`; `None` if none is.
    pub fn find_alive(
        &self,
        key: impl AsRef<[u8]>,
        is_alive: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        self.owners_from(self.hash(key))
            .map(|server| server as usize)
            .find(|&server| is_alive(server))
    }

    /// Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam): the first server in
    /// the order of [`walk`](Ring::walk) whose load is below its bound.
    ///
    /// `load` is what each server holds now. The bound of a server of weight `w` is `ceil(factor *
    /// (total + 1) * w / W)`, where `total` is the load and `W` the weight of all servers that have
    /// points; where the rules ignore weights each counts 1. `None` where `factor` is not above 1.
    pub fn find_bounded(
        &self,
        key: impl AsRef<[u8]>,
        load: impl Fn(usize) -> u64,
        factor: f64,
    ) -> Option<usize> {
        if factor.is_nan() || factor <= 1.0 {
            return None;
        }
        let weight = |server: usize| self.rules.effective_weight(self.servers[server].weight);
        let mut total = 1u128;
        let mut weights = 0u128;
        for server in (0..self.servers.len()).filter(|&server| self.has_points[server]) {
            total += u128::from(load(server));
            weights += u128::from(weight(server));
        }
        let bound =
            |server: usize| (factor * total as f64 * weight(server) as f64 / weights as f64).ceil();
        let is_below = |&server: &usize| (load(server) as f64) < bound(server);
        let position = self.hash(key);
        let mut servers = self.owners_from(position).map(|server| server as usize);
        // The bounds exceed the load in sum. Where loads are too large for a double to tell, none
        // may seem below its own.
        servers
            .find(is_below)
            .or_else(|| Some(self.find_hash(position)))
    }

    /// The owners of the points from a position's on, once around.
    fn owners_from(&self, position: u32) -> impl Iterator<Item = u32> {
        let first = self.point_of(position);
        let count = self.index.positions().len();
        let is_back = self.rules.lookup == Lookup::AtOrBefore;
        (0..count).map(move |step| {
            let at = if is_back {
                first + count - step
            } else {
                first + step
            };
            self.owner(if at >= count { at - count } else { at })
        })
    }

    /// The index, in [`points`](Ring::points), of the point that keys at this position belong to.
    pub fn point_of(&self, position: u32) -> usize {
        let count = self.index.positions().len();
        let below = self.below(position);
        match self.rules.lookup {
            Lookup::AtOrBefore => below.checked_sub(1).unwrap_or(count - 1),
            _ if below == count => 0,
            _ => below,
        }
    }

    /// How many points are below the keys at this position, or where the lookup says so, not above;
    /// none instead of all for the last position, which comes to the same.
    fn below(&self, position: u32) -> usize {
        let limit = position.wrapping_add(self.more());
        self.index.below(self.simd, limit)
    }

    fn more(&self) -> u32 {
        (self.rules.lookup != Lookup::AtOrAfter).into()
    }

    /// The server of a point.
    fn owner(&self, point: usize) -> u32 {
        let is_back = self.rules.lookup == Lookup::AtOrBefore;
        self.owners.get(point + usize::from(is_back))
    }
}

/// A word for each key, which `find` puts in its place.
#[inline]
fn words_of<K: AsRef<[u8]>>(keys: &[K], find: impl Fn(&[&[u8]], &mut [u32])) -> Vec<u32> {
    let mut words = vec![0; keys.len()];
    // As slices, which cannot change meanwhile; so many at once that little memory is needed.
    const AT_ONCE: usize = 10 * LANES;
    let mut slices = Vec::with_capacity(AT_ONCE.min(keys.len()));
    for (keys, words) in keys.chunks(AT_ONCE).zip(words.chunks_mut(AT_ONCE)) {
        slices.clear();
        slices.extend(keys.iter().map(|key| match key.as_ref() {
            [] => NOTHING,
            key => key,
        }));
        find(&slices, words);
    }
    words
}

/// Hands out the words of a group of keys, those one behind the other with the place of the first.
#[inline]
fn hand_out(places: Places, words: &[u32], mut found: impl FnMut(usize, &[u32])) {
    match places {
        Places::From(start) => found(start, words),
        Places::Each(places) => {
            for (&place, word) in places.iter().zip(words.chunks_exact(1)) {
                found(place, word);
            }
        }
    }
}

impl AsRef<Ring> for Ring {
    fn as_ref(&self) -> &Ring {
        self
    }
}
