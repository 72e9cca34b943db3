//! The dialects, and rings of other settings that are met.

use ketama::dialect::{Count, Digest, KeyHash, Lookup, Name, Order, Ties};
use ketama::{Dialect, Rules, Server};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    Given,
    /// All are one: the client was not told them.
    Equal,
}

pub struct Candidate {
    pub name: String,
    pub is_dialect: bool,
    pub rules: Rules,
    pub weights: Weights,
}

impl Candidate {
    /// All that are worth a try with these servers.
    pub fn all(servers: &[Server]) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = Dialect::ALL
            .iter()
            .map(|dialect| Candidate {
                name: dialect.name().to_owned(),
                is_dialect: true,
                rules: *dialect.rules(),
                weights: Weights::Given,
            })
            .collect();
        // Where weights differ, they may have been forgotten.
        if servers
            .iter()
            .any(|server| server.weight != servers[0].weight)
        {
            for dialect in Dialect::ALL
                .iter()
                .filter(|dialect| !dialect.rules().is_weightless())
            {
                all.push(Candidate {
                    name: format!("{dialect}, equal weights"),
                    is_dialect: false,
                    rules: *dialect.rules(),
                    weights: Weights::Equal,
                });
            }
        }
        all.extend(custom().map(|(name, rules)| Candidate {
            name: name.to_owned(),
            is_dialect: false,
            rules,
            weights: Weights::Given,
        }));
        all
    }

    /// How the ring is made, in words.
    pub fn settings(&self) -> String {
        let rules = &self.rules;
        let name = match rules.name {
            Name::Full => "name",
            Name::Elided => "name less :11211",
            Name::NoSlash => "name less /",
        };
        let separator = char::from(rules.separator);
        let node = match rules.digest {
            Digest::Md5 => format!("MD5 of {name}{separator}N"),
            Digest::Sha1 => format!("SHA-1 of {name}{separator}N"),
            Digest::OneAtATime => format!("one_at_a_time of {name}{separator}N"),
            Digest::Crc32Chain => "chained CRC-32".to_owned(),
        };
        let points = rules.base * u32::from(rules.points_per_digest);
        let is_equal = self.weights == Weights::Equal;
        let weights = match rules.count {
            Count::Fixed => "each",
            Count::TimesWeight if is_equal => "each",
            Count::TimesWeight => "times the weight",
            _ if is_equal => "each, weights ignored",
            _ => "by share of weight",
        };
        let hash = match rules.key_hash {
            KeyHash::Md5 => "MD5",
            KeyHash::OneAtATime => "one_at_a_time",
            KeyHash::Fnv1a64 => "fnv1a_64",
            KeyHash::Crc32 => "CRC-32",
        };
        let lookup = match rules.lookup {
            Lookup::AtOrAfter => "at or after",
            Lookup::After => "after",
            Lookup::AtOrBefore => "at or before",
        };
        format!("{points} points {weights}, {node}; keys by {hash}, the point {lookup}")
    }
}

/// Rings that are no dialect's, by what makes them.
fn custom() -> impl Iterator<Item = (&'static str, Rules)> {
    let libketama = *Dialect::Libketama.rules();
    let weighted = *Dialect::LibmemcachedWeighted.rules();
    let unweighted = *Dialect::Libmemcached.rules();
    let twemproxy = *Dialect::Twemproxy.rules();
    let spymemcached = *Dialect::Spymemcached.rules();
    let nginx = *Dialect::Nginx.rules();
    let fixed = Rules {
        count: Count::Fixed,
        ..libketama
    };
    [
        (
            "libketama, point after (Perl HASHFUNC2)",
            Rules {
                lookup: Lookup::After,
                ..libketama
            },
        ),
        (
            "libketama, names less :11211",
            Rules {
                name: Name::Elided,
                ..libketama
            },
        ),
        (
            "uhashring ketama",
            Rules {
                count: Count::Integer,
                ties: Ties::LastOwnsAll,
                lookup: Lookup::After,
                ..libketama
            },
        ),
        (
            "libmemcached_weighted, names with :11211",
            Rules {
                name: Name::Full,
                ..weighted
            },
        ),
        (
            "libmemcached_weighted, keys one_at_a_time",
            Rules {
                key_hash: KeyHash::OneAtATime,
                ..weighted
            },
        ),
        (
            "libmemcached_weighted, keys fnv1a_64",
            Rules {
                key_hash: KeyHash::Fnv1a64,
                ..weighted
            },
        ),
        (
            "libmemcached, keys md5",
            Rules {
                key_hash: KeyHash::Md5,
                ..unweighted
            },
        ),
        (
            "libmemcached, names with :11211",
            Rules {
                name: Name::Full,
                ..unweighted
            },
        ),
        (
            "libmemcached_md5, names with :11211",
            Rules {
                name: Name::Full,
                ..*Dialect::LibmemcachedMd5.rules()
            },
        ),
        (
            "twemproxy, hash: md5",
            Rules {
                key_hash: KeyHash::Md5,
                ..twemproxy
            },
        ),
        (
            "twemproxy, hash: one_at_a_time",
            Rules {
                key_hash: KeyHash::OneAtATime,
                ..twemproxy
            },
        ),
        (
            "twemproxy, hash: crc32a",
            Rules {
                key_hash: KeyHash::Crc32,
                ..twemproxy
            },
        ),
        (
            "twemproxy, servers in the list's order",
            Rules {
                order: Order::Listed,
                ..twemproxy
            },
        ),
        (
            "spymemcached, names less :11211",
            Rules {
                name: Name::Elided,
                ..spymemcached
            },
        ),
        ("100 points, 4 a digest", Rules { base: 25, ..fixed }),
        (
            "160 points, 1 a digest",
            Rules {
                base: 160,
                points_per_digest: 1,
                ..fixed
            },
        ),
        (
            "160 points, 4 a digest, point after",
            Rules {
                lookup: Lookup::After,
                ..fixed
            },
        ),
        ("nginx with 150 points", Rules { base: 150, ..nginx }),
        ("nginx with 100 points", Rules { base: 100, ..nginx }),
    ]
    .into_iter()
}
