//! The dialects' rules as plainly as they can be told, independent of the library's code: a list of points and a
//! linear search.

use md5::{Digest, Md5};
use sha1::Sha1;

pub struct Model {
    dialect: &'static str,
    /// Position and server, in ring order.
    pub points: Vec<(u32, usize)>,
}

impl Model {
    pub fn new<N: AsRef<[u8]>>(dialect: &'static str, servers: &[(N, u64)]) -> Model {
        let n = servers.len();
        let names: Vec<&[u8]> = servers.iter().map(|(name, _)| name.as_ref()).collect();
        let weights: Vec<u64> = servers
            .iter()
            .map(|(_, weight)| match dialect {
                "libmemcached_weighted" | "npm_hashring" | "npm_memcached" => *weight.max(&1),
                _ => *weight,
            })
            .collect();
        // Where weights are ignored, their sum may be any.
        let total = weights.iter().fold(0u64, |sum, w| sum.wrapping_add(*w));
        let short: Vec<&[u8]> = names.iter().map(|name| elide(name)).collect();

        let mut points: Vec<(u32, usize)> = Vec::new();
        for (i, &name) in names.iter().enumerate() {
            let w = weights[i];
            match dialect {
                "libketama" => {
                    let share = w as f32 / total as f32;
                    let k = (share as f64 * 40.0 * n as f32 as f64) as f32;
                    md5_points(&mut points, name, k.floor() as u64, 4, i);
                }
                "hash_ring" => {
                    let k = 40 * n as u128 * w as u128 / total as u128;
                    md5_points(&mut points, name, k as u64, 3, i);
                }
                "hash_ring_unweighted" => md5_points(&mut points, name, 100, 1, i),
                "libmemcached_weighted" | "twemproxy" => {
                    let share = w as f32 / total as f32;
                    let k = share * 160.0 / 4.0 * n as f32 + 1e-10;
                    md5_points(&mut points, short[i], k.floor() as u64, 4, i);
                }
                "libmemcached" => {
                    for k in 0..100 {
                        points.push((jenkins(&node(short[i], b'-', k)), i));
                    }
                }
                "libmemcached_md5" => md5_points(&mut points, short[i], 100, 1, i),
                "spymemcached" => {
                    let name = name.strip_prefix(b"/").unwrap_or(name);
                    md5_points(&mut points, name, 40, 4, i);
                }
                "dalli" => {
                    let k = (n as u128 * 160 * w as u128) as f64 / total as f64;
                    for k in 0..k.floor() as u64 {
                        let digest = Sha1::digest(node(name, b':', k));
                        points.push((u32::from_be_bytes(digest[..4].try_into().unwrap()), i));
                    }
                }
                "nginx" => {
                    let (host, port) = split(name);
                    let mut previous = [0; 4];
                    for _ in 0..160 * w {
                        let mut text = host.to_vec();
                        text.push(0);
                        text.extend_from_slice(port);
                        text.extend_from_slice(&previous);
                        let point = crc32(&text);
                        previous = point.to_le_bytes();
                        points.push((point, i));
                    }
                }
                "npm_hashring" | "npm_memcached" => {
                    let k = w as f64 / total as f64 * 40.0 * n as f64;
                    let name = if dialect == "npm_hashring" {
                        name
                    } else {
                        short[i]
                    };
                    md5_points(&mut points, name, k.floor() as u64, 4, i);
                }
                _ => panic!("{dialect}"),
            }
        }

        if dialect == "twemproxy" {
            points.sort_by_key(|&(_, i)| (short[i].len(), short[i], i));
        }
        // Stable: of equal points, those made first come first.
        points.sort_by_key(|&(point, _)| point);
        let runs = points.chunk_by(|a, b| a.0 == b.0);
        let points = runs
            .flat_map(|run| match dialect {
                "hash_ring" | "hash_ring_unweighted" => vec![run[run.len() - 1]; run.len()],
                "spymemcached" => vec![run[run.len() - 1]],
                "nginx" => vec![run[0]],
                _ => run.to_vec(),
            })
            .collect();
        Model { dialect, points }
    }

    pub fn hash(&self, key: &[u8]) -> u32 {
        match self.dialect {
            "libmemcached" => jenkins(key),
            "twemproxy" => fnv1a_64(key),
            "dalli" | "nginx" => crc32(key),
            _ => u32::from_le_bytes(Md5::digest(key)[..4].try_into().unwrap()),
        }
    }

    pub fn find(&self, key: &[u8]) -> usize {
        self.find_hash(self.hash(key))
    }

    pub fn find_hash(&self, h: u32) -> usize {
        self.points[self.point_of(h)].1
    }

    pub fn point_of(&self, h: u32) -> usize {
        let points = &self.points;
        match self.dialect {
            "hash_ring" | "hash_ring_unweighted" => {
                points.iter().position(|p| p.0 > h).unwrap_or(0)
            }
            "dalli" => {
                let found = points.iter().rposition(|p| p.0 <= h);
                found.unwrap_or(points.len() - 1)
            }
            _ => points.iter().position(|p| p.0 >= h).unwrap_or(0),
        }
    }
}

/// What is hashed for a point.
pub fn node(name: &[u8], separator: u8, k: u64) -> Vec<u8> {
    [name, &[separator], k.to_string().as_bytes()].concat()
}

fn md5_points(
    points: &mut Vec<(u32, usize)>,
    name: &[u8],
    digests: u64,
    words: usize,
    server: usize,
) {
    for k in 0..digests {
        let digest = Md5::digest(node(name, b'-', k));
        for word in digest.chunks(4).take(words) {
            points.push((u32::from_le_bytes(word.try_into().unwrap()), server));
        }
    }
}

pub fn split(name: &[u8]) -> (&[u8], &[u8]) {
    let parts = name
        .iter()
        .rposition(|&byte| byte == b':')
        .map(|colon| name.split_at(colon));
    match parts {
        Some((host, [b':', port @ ..]))
            if !port.is_empty() && port.iter().all(u8::is_ascii_digit) =>
        {
            (host, port)
        }
        _ => (name, b""),
    }
}

pub fn elide(name: &[u8]) -> &[u8] {
    match split(name) {
        (host, b"" | b"11211") => host,
        _ => name,
    }
}

pub fn jenkins(bytes: &[u8]) -> u32 {
    let mut h = 0u32;
    for &byte in bytes {
        h = h.wrapping_add(byte as i8 as i32 as u32);
        h = h.wrapping_add(h << 10);
        h ^= h >> 6;
    }
    h = h.wrapping_add(h << 3);
    h ^= h >> 11;
    h.wrapping_add(h << 15)
}

pub fn fnv1a_64(bytes: &[u8]) -> u32 {
    if bytes.is_empty() {
        return 0;
    }
    bytes.iter().fold(0x84222325, |h: u32, &byte| {
        (h ^ byte as i8 as i32 as u32).wrapping_mul(0x1b3)
    })
}

/// Bit by bit.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}
