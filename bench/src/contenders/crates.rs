//! Crates that make consistent-hashing rings.

use super::{Contender, POINTS_A_SERVER, pinned};
use crate::clock::{Nanoseconds, timed};
use crate::keys::Keys;
use crate::servers::Servers;
use ketama::dialect::{Count, Ties};
use ketama::{Dialect, Rules};
use std::hint::black_box;
use std::net::SocketAddr;
use std::rc::Rc;

fn find_each<R>(keys: &Keys, find: impl Fn(&[u8]) -> R) -> Nanoseconds {
    let (time, ()) = timed(|| {
        for key in keys.iter() {
            black_box(find(key));
        }
    });
    time / keys.len() as f64
}

/// The crate ketama, which is not this one.
#[derive(Default)]
pub struct Ketama {
    ring: Option<peer_ketama::Ring>,
}

impl Ketama {
    fn owner(&self, key: &[u8]) -> usize {
        self.ring.as_ref().expect("a ring").route(key)
    }
}

impl Contender for Ketama {
    fn name(&self) -> String {
        "crate ketama".to_owned()
    }

    fn about(&self) -> String {
        format!(
            "{}; MD5, libketama's points without its weights: every server has weight 1",
            pinned("peer-ketama")
        )
    }

    fn rules(&self) -> Option<Rules> {
        Some(Rules {
            count: Count::Fixed,
            ..*Dialect::Libketama.rules()
        })
    }

    fn build(&mut self, servers: &Servers) -> Nanoseconds {
        let names: Vec<&str> = servers.names().collect();
        self.ring = None;
        let (time, ring) = timed(|| peer_ketama::Ring::build(&names));
        self.ring = Some(ring);
        time
    }

    fn answers(&mut self, keys: &Keys, _: &Servers) -> Vec<u32> {
        keys.iter().map(|key| self.owner(key) as u32).collect()
    }

    fn find(&mut self, keys: &Keys) -> Nanoseconds {
        find_each(keys, |key| self.owner(key))
    }
}

/// Cloudflare's port of nginx's ring.
#[derive(Default)]
pub struct Pingora {
    ring: Option<pingora_ketama::Continuum>,
}

impl Pingora {
    fn owner(&self, key: &[u8]) -> SocketAddr {
        let ring = self.ring.as_ref().expect("a ring");
        ring.node(key).expect("a server")
    }
}

impl Contender for Pingora {
    fn name(&self) -> String {
        "crate pingora-ketama".to_owned()
    }

    fn about(&self) -> String {
        format!(
            "{}; nginx's ring of CRC-32, every server of weight 1",
            pinned("pingora-ketama")
        )
    }

    fn rules(&self) -> Option<Rules> {
        Some(Rules {
            count: Count::Fixed,
            // Which of them stays hangs on an unstable sort.
            ties: Ties::AllKept,
            ..*Dialect::Nginx.rules()
        })
    }

    fn build(&mut self, servers: &Servers) -> Nanoseconds {
        let addresses = servers
            .names()
            .map(|name| name.parse().expect("an address"));
        let buckets: Vec<_> = addresses
            .map(|address| pingora_ketama::Bucket::new(address, 1))
            .collect();
        self.ring = None;
        let (time, ring) = timed(|| pingora_ketama::Continuum::new(&buckets));
        self.ring = Some(ring);
        time
    }

    fn answers(&mut self, keys: &Keys, servers: &Servers) -> Vec<u32> {
        let names = keys.iter().map(|key| self.owner(key).to_string());
        names.map(|name| servers.index(&name)).collect()
    }

    fn find(&mut self, keys: &Keys) -> Nanoseconds {
        find_each(keys, |key| self.owner(key))
    }
}

/// One of a server's places on the ring of the crate hashring.
#[derive(Hash)]
struct VirtualNode {
    name: Rc<str>,
    number: usize,
}

/// The crate hashring.
#[derive(Default)]
pub struct Hashring {
    ring: hashring::HashRing<VirtualNode>,
}

impl Hashring {
    fn owner(&self, key: &[u8]) -> &VirtualNode {
        self.ring.get(&key).expect("a server")
    }
}

impl Contender for Hashring {
    fn name(&self) -> String {
        "crate hashring".to_owned()
    }

    fn about(&self) -> String {
        format!(
            "{}; SipHash and a ring of its own, {POINTS_A_SERVER} nodes added for each server",
            pinned("hashring")
        )
    }

    fn build(&mut self, servers: &Servers) -> Nanoseconds {
        let names: Vec<Rc<str>> = servers.names().map(Rc::from).collect();
        self.ring = hashring::HashRing::new();
        let (time, ring) = timed(|| {
            let nodes = names.iter().flat_map(|name| {
                (0..POINTS_A_SERVER).map(|number| VirtualNode {
                    name: name.clone(),
                    number,
                })
            });
            let mut ring = hashring::HashRing::new();
            ring.batch_add(nodes.collect());
            ring
        });
        self.ring = ring;
        time
    }

    fn answers(&mut self, keys: &Keys, servers: &Servers) -> Vec<u32> {
        let owners = keys.iter().map(|key| self.owner(key));
        owners.map(|node| servers.index(&node.name)).collect()
    }

    fn find(&mut self, keys: &Keys) -> Nanoseconds {
        find_each(keys, |key| self.owner(key))
    }
}

/// A server of the crate conhash.
#[derive(Clone)]
struct Node {
    name: Rc<str>,
}

impl conhash::Node for Node {
    fn name(&self) -> String {
        self.name.to_string()
    }
}

/// The crate conhash.
#[derive(Default)]
pub struct Conhash {
    ring: conhash::ConsistentHash<Node>,
}

impl Conhash {
    fn owner(&self, key: &[u8]) -> &Node {
        self.ring.get(key).expect("a server")
    }
}

impl Contender for Conhash {
    fn name(&self) -> String {
        "crate conhash".to_owned()
    }

    fn about(&self) -> String {
        format!(
            "{}; MD5 and a ring of its own, {POINTS_A_SERVER} replicas of each server",
            pinned("conhash")
        )
    }

    fn build(&mut self, servers: &Servers) -> Nanoseconds {
        let names = servers.names().map(Rc::from);
        let nodes: Vec<Node> = names.map(|name| Node { name }).collect();
        self.ring = conhash::ConsistentHash::new();
        let (time, ring) = timed(|| {
            let mut ring = conhash::ConsistentHash::new();
            for node in &nodes {
                ring.add(node, POINTS_A_SERVER);
            }
            ring
        });
        self.ring = ring;
        time
    }

    fn answers(&mut self, keys: &Keys, servers: &Servers) -> Vec<u32> {
        let owners = keys.iter().map(|key| self.owner(key));
        owners.map(|node| servers.index(&node.name)).collect()
    }

    fn find(&mut self, keys: &Keys) -> Nanoseconds {
        find_each(keys, |key| self.owner(key))
    }
}
