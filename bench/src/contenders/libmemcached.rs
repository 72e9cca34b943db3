//! libmemcached's weighted ketama, in Debian's build.

use super::Contender;
use crate::clock::{Nanoseconds, timed};
use crate::dynamic::Dynamic;
use crate::keys::Keys;
use crate::servers::Servers;
use ketama::{Dialect, Rules};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::hint::black_box;
use std::path::Path;
use std::ptr;

/// `MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED`.
const KETAMA_WEIGHTED: c_int = 16;
/// Debian's aborts above.
const MOST_SERVERS: usize = 100;

type Create = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void);
type BehaviorSet = unsafe extern "C" fn(*mut c_void, c_int, u64) -> c_int;
type Append = unsafe extern "C" fn(*mut c_void, *const c_char, u16, u32, *mut c_int) -> *mut c_void;
type Push = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;
type ListFree = unsafe extern "C" fn(*mut c_void);
type GenerateHash = unsafe extern "C" fn(*const c_void, *const c_char, usize) -> u32;

pub struct Libmemcached {
    version: String,
    create: Create,
    free: Free,
    behavior_set: BehaviorSet,
    append: Append,
    push: Push,
    list_free: ListFree,
    generate_hash: GenerateHash,
    memcached: *mut c_void,
}

impl Libmemcached {
    pub fn open() -> Result<Libmemcached, String> {
        let library = Dynamic::open(Path::new("libmemcached.so.11"), libc::RTLD_NOW)?;
        // SAFETY: so libmemcached's headers declare them; the version lives for ever.
        unsafe {
            let version: unsafe extern "C" fn() -> *const c_char =
                library.function(c"memcached_lib_version");
            Ok(Libmemcached {
                version: CStr::from_ptr(version()).to_string_lossy().into_owned(),
                create: library.function(c"memcached_create"),
                free: library.function(c"memcached_free"),
                behavior_set: library.function(c"memcached_behavior_set"),
                append: library.function(c"memcached_server_list_append_with_weight"),
                push: library.function(c"memcached_server_push"),
                list_free: library.function(c"memcached_server_list_free"),
                generate_hash: library.function(c"memcached_generate_hash"),
                memcached: ptr::null_mut(),
            })
        }
    }

    fn make(&self, hosts: &[(CString, u16, u64)]) -> *mut c_void {
        // SAFETY: each takes what the one before has made, and strings ended by a NUL.
        unsafe {
            let memcached = (self.create)(ptr::null_mut());
            assert_eq!((self.behavior_set)(memcached, KETAMA_WEIGHTED, 1), 0);
            let mut list = ptr::null_mut();
            let mut result = 0;
            for (host, port, weight) in hosts {
                list = (self.append)(list, host.as_ptr(), *port, *weight as u32, &mut result);
                assert_eq!(result, 0);
            }
            assert_eq!((self.push)(memcached, list), 0);
            (self.list_free)(list);
            memcached
        }
    }

    fn owner(&self, key: &[u8]) -> u32 {
        // SAFETY: what `make` made, and a key of this length.
        unsafe { (self.generate_hash)(self.memcached, key.as_ptr().cast(), key.len()) }
    }

    fn free(&mut self) {
        if !self.memcached.is_null() {
            // SAFETY: what `make` made, once.
            unsafe { (self.free)(self.memcached) };
        }
    }
}

impl Drop for Libmemcached {
    fn drop(&mut self) {
        self.free();
    }
}

impl Contender for Libmemcached {
    fn name(&self) -> String {
        "libmemcached".to_owned()
    }

    fn about(&self) -> String {
        format!(
            "libmemcached {} with `KETAMA_WEIGHTED`, `memcached_generate_hash`; it aborts above \
             {MOST_SERVERS} servers",
            self.version
        )
    }

    fn rules(&self) -> Option<Rules> {
        Some(*Dialect::LibmemcachedWeighted.rules())
    }

    fn most_servers(&self) -> usize {
        MOST_SERVERS
    }

    fn build(&mut self, servers: &Servers) -> Nanoseconds {
        let host = |server: &ketama::Server<String>| {
            let (host, port) = server.name.rsplit_once(':').expect("a port");
            (
                CString::new(host).unwrap(),
                port.parse().unwrap(),
                server.weight,
            )
        };
        let hosts: Vec<_> = servers.list.iter().map(host).collect();
        self.free();
        let (time, memcached) = timed(|| self.make(&hosts));
        self.memcached = memcached;
        time
    }

    fn answers(&mut self, keys: &Keys, _: &Servers) -> Vec<u32> {
        keys.iter().map(|key| self.owner(key)).collect()
    }

    fn find(&mut self, keys: &Keys) -> Nanoseconds {
        let (time, ()) = timed(|| {
            for key in keys.iter() {
                black_box(self.owner(key));
            }
        });
        time / keys.len() as f64
    }
}
