//! The original's loops without its limits, for lists that it crashes on: written again, around its
//! own compiled MD5 and comparison, and libc's sprintf and qsort.

use super::Contender;
use super::original::Extension;
use super::ours::Mcs;
use crate::clock::{Nanoseconds, timed};
use crate::keys::Keys;
use crate::servers::Servers;
use ketama::{Dialect, Rules};
use std::ffi::{CString, c_char};
use std::hint::black_box;

pub struct Ported {
    extension: Extension,
    continuum: Vec<Mcs>,
}

impl Ported {
    pub fn new(extension: Extension) -> Ported {
        Ported {
            extension,
            continuum: Vec::new(),
        }
    }

    fn digest(&self, text: *const c_char, len: usize) -> [u8; 16] {
        let mut digest = [0; 16];
        // SAFETY: a text of this length, and room for a digest.
        unsafe { (self.extension.md5_digest)(text, len, digest.as_mut_ptr()) };
        digest
    }

    fn create(&self, names: &[CString], weights: &[u64]) -> Vec<Mcs> {
        let total: u64 = weights.iter().sum();
        let mut continuum = Vec::with_capacity(names.len() * 160);
        for (name, &weight) in names.iter().zip(weights) {
            let share = weight as f32 / total as f32;
            let digests = (f64::from(share) * 40.0 * names.len() as f64) as f32;
            let mut ip = [0; 22];
            for (to, &from) in ip.iter_mut().zip(name.as_bytes()) {
                *to = from as c_char;
            }
            for number in 0..digests.floor() as u32 {
                let mut text = [0; 40];
                // SAFETY: room for a name of at most 22 bytes and a number, and what `%s-%u` takes.
                let len = unsafe {
                    libc::sprintf(text.as_mut_ptr(), c"%s-%u".as_ptr(), name.as_ptr(), number)
                };
                let digest = self.digest(text.as_ptr(), len as usize);
                for word in digest.chunks_exact(4) {
                    let point = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
                    continuum.push(Mcs { point, ip });
                }
            }
        }
        let (entries, count) = (continuum.as_mut_ptr().cast(), continuum.len());
        // SAFETY: so many entries of this size, and the comparison of such.
        unsafe {
            libc::qsort(
                entries,
                count,
                size_of::<Mcs>(),
                Some(self.extension.compare),
            )
        };
        continuum
    }

    fn get_server(&self, key: &[u8]) -> &Mcs {
        let digest = self.digest(key.as_ptr().cast(), key.len());
        let hash = u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]);
        let continuum = &self.continuum[..];
        let (mut low, mut high) = (0i32, continuum.len() as i32);
        loop {
            let middle = (low + high) / 2;
            let Some(mcs) = continuum.get(middle as usize) else {
                return &continuum[0];
            };
            let before = match middle {
                0 => 0,
                _ => continuum[middle as usize - 1].point,
            };
            if hash <= mcs.point && hash > before {
                return mcs;
            }
            if mcs.point < hash {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
            if low > high {
                return &continuum[0];
            }
        }
    }

    fn owner(&self, key: &[u8], servers: &Servers) -> u32 {
        servers.index(&self.get_server(key).name())
    }
}

impl Contender for Ported {
    fn name(&self) -> String {
        "libketama, ported".to_owned()
    }

    fn about(&self) -> String {
        "the original's loops written again without its limits and without files, around its own \
         compiled MD5 and comparison, and libc's `sprintf` and `qsort`"
            .to_owned()
    }

    fn rules(&self) -> Option<Rules> {
        Some(*Dialect::Libketama.rules())
    }

    fn build(&mut self, servers: &Servers) -> Nanoseconds {
        self.continuum = Vec::new();
        let names = servers.c_names();
        let weights: Vec<u64> = servers.list.iter().map(|server| server.weight).collect();
        let (time, continuum) = timed(|| self.create(&names, &weights));
        self.continuum = continuum;
        time
    }

    fn answers(&mut self, keys: &Keys, servers: &Servers) -> Vec<u32> {
        keys.iter().map(|key| self.owner(key, servers)).collect()
    }

    fn find(&mut self, keys: &Keys) -> Nanoseconds {
        let (time, ()) = timed(|| {
            for key in keys.iter() {
                black_box(self.get_server(key));
            }
        });
        time / keys.len() as f64
    }
}
