//! The original: the compiled functions of the PyPI package ketama, called directly.

use super::Contender;
use super::ours::{
    CContinuum, Continuum, Key, Mcs, Roll, Smoke, find_dependent, find_independent, owners,
};
use crate::clock::Nanoseconds;
use crate::dynamic::Dynamic;
use crate::keys::Keys;
use crate::servers::Servers;
use ketama::{Dialect, Rules};
use std::ffi::{c_char, c_int, c_uchar, c_void};
use std::path::{Path, PathBuf};

/// The package's functions take a length where the original's end a string by a NUL.
type GetServer = unsafe extern "C" fn(*const c_char, *mut CContinuum, usize) -> *const Mcs;
type Md5Digest = unsafe extern "C" fn(*const c_char, usize, *mut c_uchar);
/// Of two `Mcs`, as qsort wants it.
type Compare = unsafe extern "C" fn(*const c_void, *const c_void) -> c_int;

/// The package's functions. They hold one continuum at a time: its smoke takes all away, and
/// removes the System V objects too.
#[derive(Clone, Copy)]
pub struct Extension {
    roll: Roll,
    smoke: Smoke,
    get_server: GetServer,
    pub md5_digest: Md5Digest,
    pub compare: Compare,
}

impl Extension {
    /// `front`: the library of tests/reference, which defines what the extension wants of a Python
    /// interpreter.
    pub fn open(extension: &Path, front: &Path) -> Extension {
        let open =
            |path, flags| Dynamic::open(path, flags).unwrap_or_else(|error| panic!("{error}"));
        open(front, libc::RTLD_NOW);
        let extension = open(extension, libc::RTLD_LAZY | libc::RTLD_DEEPBIND);
        // SAFETY: so the package's source declares them.
        unsafe {
            Extension {
                roll: extension.function(c"ketama_roll"),
                smoke: extension.function(c"ketama_smoke"),
                get_server: extension.function(c"ketama_get_server"),
                md5_digest: extension.function(c"ketama_md5_digest"),
                compare: extension.function(c"ketama_compare"),
            }
        }
    }
}

/// The original.
pub struct Original {
    extension: Extension,
    file: PathBuf,
    continuum: Option<Continuum>,
}

impl Original {
    pub fn new(extension: Extension, folder: &Path) -> Original {
        Original {
            extension,
            file: folder.join("original.servers"),
            continuum: None,
        }
    }

    pub fn points(&self) -> Vec<(u32, String)> {
        self.continuum.as_ref().expect("a continuum").points()
    }

    fn get_server(&self, key: &Key) -> *const Mcs {
        let continuum = self.continuum.as_ref().expect("a continuum");
        // SAFETY: a key of this length, and a continuum of the same library.
        unsafe { (self.extension.get_server)(key.data.cast(), continuum.continuum, key.len) }
    }

    /// Looks keys up, where which is next hangs on the last answer.
    pub fn find_dependent(&self, keys: &Keys) -> Nanoseconds {
        find_dependent(keys, |key| self.get_server(key))
    }
}

impl Contender for Original {
    fn name(&self) -> String {
        "libketama".to_owned()
    }

    fn about(&self) -> String {
        "the original, PyPI ketama 0.1.1, whose compiled functions are called directly, with the \
         length of the key at hand; rings from a definition file, into System V shared memory; it \
         crashes above 117 servers"
            .to_owned()
    }

    fn rules(&self) -> Option<Rules> {
        Some(*Dialect::Libketama.rules())
    }

    fn most_servers(&self) -> usize {
        117
    }

    fn builder(&self) -> Option<String> {
        Some("libketama, `ketama_roll`".to_owned())
    }

    fn build(&mut self, servers: &Servers) -> Nanoseconds {
        self.continuum = None;
        servers.write(&self.file);
        let Extension { roll, smoke, .. } = self.extension;
        // SAFETY: functions of one library.
        let (time, continuum) = unsafe { Continuum::timed(roll, smoke, &self.file) };
        self.continuum = Some(continuum);
        time
    }

    fn answers(&mut self, keys: &Keys, servers: &Servers) -> Vec<u32> {
        // SAFETY: entries of the continuum.
        unsafe { owners(keys, servers, |key| self.get_server(key)) }
    }

    fn find(&mut self, keys: &Keys) -> Nanoseconds {
        find_independent(keys, |key| self.get_server(key))
    }
}
