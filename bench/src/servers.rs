//! The servers that rings are made of.

use ketama::Server;
use std::collections::HashMap;
use std::ffi::CString;
use std::fs;
use std::path::Path;

/// Servers of unequal weights, 10.G.x.y:11211 with G for their generation, so that the next
/// generation is a ring of new points.
pub struct Servers {
    pub list: Vec<Server<String>>,
    indexes: HashMap<String, u32>,
}

impl Servers {
    pub fn new(count: usize, generation: usize) -> Servers {
        Servers::weighted(count, generation, |i| 600 + i as u64 % 7 * 50)
    }

    /// Servers of weight 1.
    pub fn equal(count: usize) -> Servers {
        Servers::weighted(count, 0, |_| 1)
    }

    fn weighted(count: usize, generation: usize, weight: impl Fn(usize) -> u64) -> Servers {
        let server = |i: usize| Server {
            name: format!("10.{}.{}.{}:11211", generation % 250, i / 250, i % 250 + 1),
            weight: weight(i),
        };
        let list: Vec<_> = (0..count).map(server).collect();
        let names = list.iter().map(|server| server.name.clone());
        Servers {
            indexes: names.zip(0..).collect(),
            list,
        }
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|server| server.name.as_str())
    }

    /// The names, for C.
    pub fn c_names(&self) -> Vec<CString> {
        self.names()
            .map(|name| CString::new(name).unwrap())
            .collect()
    }

    /// The index of the server of this name.
    pub fn index(&self, name: &str) -> u32 {
        self.indexes[name]
    }

    /// Writes them as a definition file.
    pub fn write(&self, path: &Path) {
        let line = |server: &Server<String>| format!("{}\t{}\n", server.name, server.weight);
        let text: String = self.list.iter().map(line).collect();
        fs::write(path, text).unwrap();
    }
}
