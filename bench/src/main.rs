//! This library against the original, in one process: rounds of the one and the other in turn, on the same keys and
//! files. Prints the medians of the rounds in thread CPU time, and the median of the rounds' ratios.
//!
//! usage: ketama-bench OURS REFERENCE EXTENSION, where OURS is libketama.so.1, EXTENSION the compiled extension of the
//! PyPI package ketama, whose functions are called directly, and REFERENCE tests/reference's library, which
//! defines what the extension wants of a Python interpreter.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

type Continuum = *mut c_void;
type Roll = unsafe extern "C" fn(*mut Continuum, *const c_char) -> c_int;
type Smoke = unsafe extern "C" fn(Continuum);
type GetServer = unsafe extern "C" fn(*const c_char, Continuum) -> *mut c_void;
/// The extension's takes the key's length.
type GetServerSized = unsafe extern "C" fn(*const c_char, Continuum, usize) -> *mut c_void;

const LOOKUP_ROUNDS: usize = 101;
const ROLL_ROUNDS: usize = 301;
const KEYS: usize = 8192;

struct Library {
    handle: *mut c_void,
    roll: Roll,
    smoke: Smoke,
}

impl Library {
    fn open(path: &str, flags: c_int) -> Library {
        let path = CString::new(path).unwrap();
        // SAFETY: a string ended by a NUL; what the library does when loaded is its own affair.
        let handle = unsafe { libc::dlopen(path.as_ptr(), flags) };
        if handle.is_null() {
            // SAFETY: dlopen has failed, so there is a text.
            panic!(
                "{}",
                unsafe { CStr::from_ptr(libc::dlerror()) }.to_string_lossy()
            );
        }
        // SAFETY: both libraries declare these functions so.
        unsafe {
            Library {
                handle,
                roll: symbol(handle, c"ketama_roll"),
                smoke: symbol(handle, c"ketama_smoke"),
            }
        }
    }

    fn roll(&self, file: &CStr) -> Continuum {
        let mut continuum = std::ptr::null_mut();
        // SAFETY: a place for the continuum, and a string ended by a NUL.
        let rolled = unsafe { (self.roll)(&mut continuum, file.as_ptr()) };
        assert_eq!(rolled, 1, "{file:?}");
        continuum
    }

    fn smoke(&self, continuum: Continuum) {
        // SAFETY: from `roll` of the same library, and not smoked before.
        unsafe { (self.smoke)(continuum) }
    }
}

/// # Safety
///
/// `F` is the type of a pointer to the function of this name.
unsafe fn symbol<F>(handle: *mut c_void, name: &CStr) -> F {
    // SAFETY: an open library, and a string ended by a NUL.
    let found = unsafe { libc::dlsym(handle, name.as_ptr()) };
    assert!(!found.is_null(), "{name:?}");
    // SAFETY: a pointer to a function, by the caller's promise.
    unsafe { std::mem::transmute_copy(&found) }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, ours, reference, extension] = &arguments[..] else {
        panic!("usage: ketama-bench OURS REFERENCE EXTENSION");
    };
    let ours = Library::open(ours, libc::RTLD_NOW | libc::RTLD_LOCAL);
    let _python = Library::open(reference, libc::RTLD_NOW | libc::RTLD_LOCAL);
    let deep = libc::RTLD_LAZY | libc::RTLD_LOCAL | libc::RTLD_DEEPBIND;
    let theirs = Library::open(extension, deep);

    println!(
        "{:<34} {:>12} {:>12} {:>8}",
        "median CPU time", "libketama", "ours", "ratio"
    );
    let folder = std::env::temp_dir().join(format!("ketama-bench-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    for servers in [8, 100] {
        lookups(&ours, &theirs, &folder, servers);
    }
    for servers in [8, 100] {
        fresh_rolls(&ours, &theirs, &folder, servers);
        unchanged_rolls(&ours, &theirs, &folder, servers);
    }
    fs::remove_dir_all(&folder).unwrap();
}

fn lookups(ours: &Library, theirs: &Library, folder: &Path, servers: usize) {
    let (_, file) = write_servers(folder, servers);
    let keys: Vec<CString> = (0..KEYS)
        .map(|i| CString::new(format!("user:{i:09}:feed")[..19].to_owned() + "x").unwrap())
        .collect();
    assert!(keys.iter().all(|key| key.as_bytes().len() == 20));
    // SAFETY: so ours is declared in ketama.h, and theirs in the extension's source.
    let (our_get, their_get): (GetServer, GetServerSized) = unsafe {
        (
            symbol(ours.handle, c"ketama_get_server"),
            symbol(theirs.handle, c"ketama_get_server"),
        )
    };
    let (our_continuum, their_continuum) = (ours.roll(&file), theirs.roll(&file));
    compare(
        &format!("lookup, {servers} servers, 20-byte keys"),
        LOOKUP_ROUNDS,
        KEYS,
        || {
            cpu_time(|| {
                for key in &keys {
                    // SAFETY: a string ended by a NUL, and a continuum of the same library.
                    black_box(unsafe { our_get(key.as_ptr(), our_continuum) });
                }
            })
        },
        || {
            cpu_time(|| {
                for key in &keys {
                    let len = key.as_bytes().len();
                    // SAFETY: as above, and that is its length.
                    black_box(unsafe { their_get(key.as_ptr(), their_continuum, len) });
                }
            })
        },
    );
    ours.smoke(our_continuum);
    theirs.smoke(their_continuum);
}

fn fresh_rolls(ours: &Library, theirs: &Library, folder: &Path, servers: usize) {
    let (path, file) = write_servers(folder, servers);
    let mut seconds = 1_000_000_000;
    let mut fresh = |library: &Library| {
        // The original looks at whole seconds.
        seconds += 1;
        set_modified(&path, UNIX_EPOCH + Duration::from_secs(seconds));
        let mut continuum = std::ptr::null_mut();
        let time = cpu_time(|| continuum = library.roll(&file));
        library.smoke(continuum);
        time
    };
    let rounds: Vec<(u64, u64)> = (0..ROLL_ROUNDS)
        .map(|_| (fresh(ours), fresh(theirs)))
        .collect();
    report(
        &format!("roll of a fresh file, {servers} servers"),
        &rounds,
        1,
    );
}

fn unchanged_rolls(ours: &Library, theirs: &Library, folder: &Path, servers: usize) {
    const ROLLS: usize = 100;
    let (_, file) = write_servers(folder, servers);
    // Until then ours reads it again, since a change within a tick of the clock would not show.
    std::thread::sleep(Duration::from_millis(100));
    let unchanged = |library: &Library| {
        let mut continua = vec![library.roll(&file)];
        let time = cpu_time(|| continua.extend((0..ROLLS).map(|_| library.roll(&file))));
        for continuum in continua {
            library.smoke(continuum);
        }
        time
    };
    compare(
        &format!("roll of the same file, {servers} servers"),
        ROLL_ROUNDS,
        ROLLS,
        || unchanged(ours),
        || unchanged(theirs),
    );
}

fn compare(
    what: &str,
    rounds: usize,
    each: usize,
    mut ours: impl FnMut() -> u64,
    mut theirs: impl FnMut() -> u64,
) {
    let rounds: Vec<(u64, u64)> = (0..rounds).map(|_| (ours(), theirs())).collect();
    report(what, &rounds, each);
}

/// `rounds`: nanoseconds of ours and theirs, each for `each` calls.
fn report(what: &str, rounds: &[(u64, u64)], each: usize) {
    let per_call = |time: u64| time as f64 / each as f64;
    let ours = median(rounds.iter().map(|&(ours, _)| per_call(ours)));
    let theirs = median(rounds.iter().map(|&(_, theirs)| per_call(theirs)));
    let ratio = median(
        rounds
            .iter()
            .map(|&(ours, theirs)| theirs as f64 / ours as f64),
    );
    println!("{what:<34} {theirs:>9.0} ns {ours:>9.0} ns {ratio:>7.2}x");
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What this thread has computed meanwhile, in nanoseconds.
fn cpu_time(work: impl FnOnce()) -> u64 {
    let now = || {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: a place for the time.
        let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
        assert_eq!(result, 0);
        time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
    };
    let start = now();
    work();
    now() - start
}

/// A new file of servers with unequal weights.
fn write_servers(folder: &Path, servers: usize) -> (PathBuf, CString) {
    let text: String = (0..servers)
        .map(|i| {
            format!(
                "10.0.{}.{}:11211\t{}\n",
                i / 250,
                i % 250 + 1,
                600 + i % 7 * 50
            )
        })
        .collect();
    let path = folder.join(format!("{servers}.servers"));
    let _ = fs::remove_file(&path);
    fs::write(&path, text).unwrap();
    set_modified(&path, SystemTime::now());
    let name = CString::new(path.to_str().unwrap()).unwrap();
    (path, name)
}

fn set_modified(path: &Path, time: SystemTime) {
    File::open(path).unwrap().set_modified(time).unwrap();
}
