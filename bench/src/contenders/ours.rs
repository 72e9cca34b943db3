//! This library, through its C interface: include/ketama.h describes it.

use super::{Contender, Side};
use crate::clock::{Nanoseconds, timed};
use crate::dynamic::Dynamic;
use crate::keys::Keys;
use crate::servers::Servers;
use ketama::{Dialect, Rules};
use std::env;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::ptr;

#[repr(C)]
struct CServer {
    name: *const c_char,
    weight: u64,
}

/// `ketama_key`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Key {
    pub data: *const c_void,
    pub len: usize,
}

/// The original's `mcs` and ours, where `ip` ends with a NUL.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Mcs {
    pub point: u32,
    pub ip: [c_char; 22],
}

impl Mcs {
    pub fn name(&self) -> String {
        let bytes = self.ip.iter().take_while(|&&byte| byte != 0);
        bytes.map(|&byte| char::from(byte as u8)).collect()
    }
}

/// The original's `continuum` and ours.
#[repr(C)]
pub struct CContinuum {
    pub numpoints: c_int,
    pub modtime: *mut c_void,
    pub array: *const Mcs,
}

pub type Roll = unsafe extern "C" fn(*mut *mut CContinuum, *const c_char) -> c_int;
pub type Smoke = unsafe extern "C" fn(*mut CContinuum);
type GetServer = unsafe extern "C" fn(*const c_char, *mut CContinuum) -> *const Mcs;
type RingNew = unsafe extern "C" fn(*const CServer, usize, c_int, *mut *mut c_void) -> c_int;
type RingFree = unsafe extern "C" fn(*mut c_void);
type Find = unsafe extern "C" fn(*const c_void, *const c_void, usize) -> usize;
type FindMany = unsafe extern "C" fn(*const c_void, *const Key, usize, *mut u32) -> c_int;
type FindPacked =
    unsafe extern "C" fn(*const c_void, *const c_void, *const u32, usize, *mut u32) -> c_int;

/// A copy of libketama.so.1.
#[derive(Clone, Copy)]
pub struct Library {
    roll: Roll,
    smoke: Smoke,
    get_server: GetServer,
    ring_new: RingNew,
    ring_free: RingFree,
    ring_find: Find,
    ring_find_many: FindMany,
    ring_find_packed: FindPacked,
}

impl Library {
    pub fn open(path: &Path) -> Library {
        let opened = Dynamic::open(path, libc::RTLD_NOW);
        let library = opened.unwrap_or_else(|error| panic!("{error}"));
        // SAFETY: so ketama.h declares them.
        unsafe {
            Library {
                roll: library.function(c"ketama_roll"),
                smoke: library.function(c"ketama_smoke"),
                get_server: library.function(c"ketama_get_server"),
                ring_new: library.function(c"ketama_ring_new"),
                ring_free: library.function(c"ketama_ring_free"),
                ring_find: library.function(c"ketama_ring_find"),
                ring_find_many: library.function(c"ketama_ring_find_many"),
                ring_find_packed: library.function(c"ketama_ring_find_packed"),
            }
        }
    }

    /// A second copy of the library, which sees `simd` in `KETAMA_SIMD`. It reads that once, at its
    /// first ring; the loader takes a copied file for another library.
    pub fn copy(path: &Path, folder: &Path, simd: &str) -> Library {
        let copied = folder.join(format!("libketama-{simd}.so"));
        fs::copy(path, &copied).unwrap();
        // SAFETY: this program has one thread.
        unsafe { env::set_var("KETAMA_SIMD", simd) };
        let library = Library::open(&copied);
        Listed::new(library, Call::Many, Dialect::Libketama).build(&Servers::new(8, 0));
        // SAFETY: as above.
        unsafe { env::remove_var("KETAMA_SIMD") };
        library
    }
}

/// Its version.
pub fn version(path: &Path) -> String {
    let library = Dynamic::open(path, libc::RTLD_NOW).unwrap();
    // SAFETY: so ketama.h declares it, and the text lives for ever.
    unsafe {
        let version: unsafe extern "C" fn() -> *const c_char = library.function(c"ketama_version");
        CStr::from_ptr(version()).to_string_lossy().into_owned()
    }
}

/// A ring of `ketama_ring_new`.
struct Ring {
    library: Library,
    ring: *mut c_void,
}

impl Ring {
    fn timed(library: Library, servers: &Servers, dialect: Dialect) -> (Nanoseconds, Ring) {
        let names = servers.c_names();
        let list: Vec<CServer> = names
            .iter()
            .zip(&servers.list)
            .map(|(name, server)| CServer {
                name: name.as_ptr(),
                weight: server.weight,
            })
            .collect();
        let mut ring = ptr::null_mut();
        let (time, status) = timed(|| {
            // SAFETY: a list of so many servers, and a place for the ring.
            unsafe { (library.ring_new)(list.as_ptr(), list.len(), dialect as c_int, &mut ring) }
        });
        assert_eq!(status, 0);
        (time, Ring { library, ring })
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: its only owner, once.
        unsafe { (self.library.ring_free)(self.ring) };
    }
}

/// Which function looks keys up.
#[derive(Clone, Copy, PartialEq)]
pub enum Call {
    One,
    Many,
    Packed,
}

impl Call {
    pub fn name(self) -> &'static str {
        match self {
            Call::One => "ketama_ring_find",
            Call::Many => "ketama_ring_find_many",
            Call::Packed => "ketama_ring_find_packed",
        }
    }
}

/// Rings of `ketama_ring_new`.
pub struct Listed {
    library: Library,
    call: Call,
    dialect: Dialect,
    ring: Option<Ring>,
    owners: Vec<u32>,
}

impl Listed {
    pub fn new(library: Library, call: Call, dialect: Dialect) -> Listed {
        Listed {
            library,
            call,
            dialect,
            ring: None,
            owners: Vec::new(),
        }
    }

    fn ring(&self) -> *mut c_void {
        self.ring.as_ref().expect("a ring").ring
    }

    /// Looks all keys up in one call.
    fn find_all(&mut self, keys: &Keys) {
        let (ring, count) = (self.ring(), keys.len());
        let owners = self.owners.as_mut_ptr();
        let status = if self.call == Call::Packed {
            let (bytes, offsets) = keys.packed();
            // SAFETY: a ring, `count` keys and one offset more, and room for as many owners.
            unsafe {
                let find = self.library.ring_find_packed;
                find(ring, bytes.as_ptr().cast(), offsets.as_ptr(), count, owners)
            }
        } else {
            // SAFETY: a ring, `count` keys, and room for as many.
            unsafe { (self.library.ring_find_many)(ring, keys.pointers().as_ptr(), count, owners) }
        };
        assert_eq!(status, 0);
    }

    fn find_one(&self, key: &[u8]) -> usize {
        // SAFETY: a ring, and a key of this length.
        unsafe { (self.library.ring_find)(self.ring(), key.as_ptr().cast(), key.len()) }
    }
}

impl Contender for Listed {
    fn name(&self) -> String {
        format!("ours, `{}`", self.call.name())
    }

    fn about(&self) -> String {
        match self.call {
            Call::One => "one key a call",
            Call::Many => "all keys in one call, as pointers and lengths",
            Call::Packed => "all keys in one call, one behind the other",
        }
        .to_owned()
    }

    fn side(&self) -> Side {
        match self.call {
            Call::One => Side::OursSingle,
            Call::Many | Call::Packed => Side::OursBulk,
        }
    }

    fn rules(&self) -> Option<Rules> {
        Some(*self.dialect.rules())
    }

    fn builder(&self) -> Option<String> {
        (self.call == Call::One).then(|| "ours, `ketama_ring_new`".to_owned())
    }

    fn build(&mut self, servers: &Servers) -> Nanoseconds {
        self.ring = None;
        let (time, ring) = Ring::timed(self.library, servers, self.dialect);
        self.ring = Some(ring);
        time
    }

    fn answers(&mut self, keys: &Keys, _: &Servers) -> Vec<u32> {
        if self.call == Call::One {
            return keys.iter().map(|key| self.find_one(key) as u32).collect();
        }
        self.owners = vec![u32::MAX; keys.len()];
        self.find_all(keys);
        self.owners.clone()
    }

    fn find(&mut self, keys: &Keys) -> Nanoseconds {
        let (time, ()) = timed(|| match self.call {
            Call::One => keys.iter().for_each(|key| {
                black_box(self.find_one(key));
            }),
            Call::Many | Call::Packed => self.find_all(keys),
        });
        time / keys.len() as f64
    }
}

/// Continua of `ketama_roll`, and `ketama_get_server`.
pub struct Rolled {
    library: Library,
    file: PathBuf,
    continuum: Option<Continuum>,
}

/// A continuum of the original or ours.
pub struct Continuum {
    pub continuum: *mut CContinuum,
    smoke: Smoke,
}

impl Continuum {
    /// # Safety
    ///
    /// `roll` and `smoke` are the functions of one library.
    pub unsafe fn timed(roll: Roll, smoke: Smoke, file: &Path) -> (Nanoseconds, Continuum) {
        let name = CString::new(file.to_str().expect("a path in UTF-8")).unwrap();
        let mut continuum = ptr::null_mut();
        // SAFETY: a place for the continuum, and a string ended by a NUL.
        let (time, rolled) = timed(|| unsafe { roll(&mut continuum, name.as_ptr()) });
        assert_eq!(rolled, 1, "{file:?}");
        (time, Continuum { continuum, smoke })
    }

    /// Its points, with the names of their servers.
    pub fn points(&self) -> Vec<(u32, String)> {
        // SAFETY: a continuum that was rolled well has so many entries.
        let points = unsafe {
            let continuum = &*self.continuum;
            std::slice::from_raw_parts(continuum.array, continuum.numpoints as usize)
        };
        points.iter().map(|mcs| (mcs.point, mcs.name())).collect()
    }
}

impl Drop for Continuum {
    fn drop(&mut self) {
        // SAFETY: from the roll of the same library, by the promise to `timed`; once.
        unsafe { (self.smoke)(self.continuum) }
    }
}

impl Rolled {
    pub fn new(library: Library, folder: &Path) -> Rolled {
        Rolled {
            library,
            file: folder.join("ours.servers"),
            continuum: None,
        }
    }

    pub fn points(&self) -> Vec<(u32, String)> {
        self.continuum.as_ref().expect("a continuum").points()
    }

    fn get_server(&self, key: &Key) -> *const Mcs {
        let continuum = self.continuum.as_ref().expect("a continuum");
        // SAFETY: a string ended by a NUL, and a continuum of the same library.
        unsafe { (self.library.get_server)(key.data.cast(), continuum.continuum) }
    }

    /// Looks keys up, where which is next hangs on the last answer.
    pub fn find_dependent(&self, keys: &Keys) -> Nanoseconds {
        find_dependent(keys, |key| self.get_server(key))
    }
}

/// The servers that entries of a continuum name.
///
/// # Safety
///
/// `get_server` returns entries that can be read.
pub unsafe fn owners(
    keys: &Keys,
    servers: &Servers,
    get_server: impl Fn(&Key) -> *const Mcs,
) -> Vec<u32> {
    let found = keys.pointers().iter().map(get_server);
    // SAFETY: by the caller's promise.
    let names = found.map(|mcs| unsafe { *mcs }.name());
    names.map(|name| servers.index(&name)).collect()
}

/// Looks keys up, one like the other.
pub fn find_independent(keys: &Keys, get_server: impl Fn(&Key) -> *const Mcs) -> Nanoseconds {
    let (time, ()) = timed(|| {
        for key in keys.pointers() {
            black_box(get_server(key));
        }
    });
    time / keys.len() as f64
}

/// Looks keys up one by one, where the address of each is known only with the last answer.
pub fn find_dependent(keys: &Keys, find: impl Fn(&Key) -> *const Mcs) -> Nanoseconds {
    let (pointers, zero) = (keys.pointers(), black_box(0));
    let (time, _) = timed(|| {
        let mut last = 0;
        for index in 0..pointers.len() {
            last = find(&pointers[index + last]) as usize & zero;
        }
        black_box(last)
    });
    time / keys.len() as f64
}

impl Contender for Rolled {
    fn name(&self) -> String {
        "ours, `ketama_get_server`".to_owned()
    }

    fn about(&self) -> String {
        "one key a call, ended by a NUL; rings from a definition file".to_owned()
    }

    fn side(&self) -> Side {
        Side::OursSingle
    }

    fn rules(&self) -> Option<Rules> {
        Some(*Dialect::Libketama.rules())
    }

    fn builder(&self) -> Option<String> {
        Some("ours, `ketama_roll`".to_owned())
    }

    fn build(&mut self, servers: &Servers) -> Nanoseconds {
        self.continuum = None;
        servers.write(&self.file);
        // SAFETY: functions of one library.
        let (time, continuum) =
            unsafe { Continuum::timed(self.library.roll, self.library.smoke, &self.file) };
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
