//! A server definition file, through ketama_roll() and through the strict reader.
//!
//! Input: a byte, of which the low 7 bits choose the dialect of the strict reader, and the highest
//! whether the path has had a good file before; behind it the file.
#![no_main]

use ketama::Dialect;
use ketama::capi::libketama::*;
use ketama::capi::lookup::ketama_ring_find_point;
use ketama::capi::ring::ketama_ring_from_file;
use ketama::capi::ring::ketama_status::*;
use ketama_fuzz::c::{self, Ring};
use ketama_fuzz::grammar::{self, Servers};
use ketama_fuzz::model::{self, Model};
use libfuzzer_sys::fuzz_target;
use std::ffi::{CStr, CString, c_int};
use std::fs;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

/// Rings of more points are compared by their servers alone, for which the model takes long; and
/// strict files of far more are not made.
const MOST_POINTS: u128 = 1300;
const FAR_MORE: u128 = 50_000;

/// The good file that the path may have had.
const BEFORE: &[u8] = b"before:1 10\nbefore:2 20\n";

fuzz_target!(|data: &[u8]| {
    let (&choice, file) = data.split_first().unwrap_or((&0, b""));
    let others = OTHERS.get_or_init(|| std::array::from_fn(|_| File::new(BEFORE)));
    let path = File::new(BEFORE);
    let before = (choice & 0x80 != 0).then(|| path.roll_good());
    path.write(file);
    as_libketama(&path, file, before.is_some());
    strictly(&path, file, usize::from(choice & 0x7f) % Dialect::ALL.len());
    pieces(file);
    if let Some(continuum) = before {
        let (servers, _) = grammar::strict(BEFORE).unwrap();
        continuum.is(&servers);
    }
    drop(path);
    // The library remembers good rings that nobody holds, of the 8 files that were used last: now of
    // these, so that every input finds it the same.
    for other in others {
        other.roll_good();
    }
});

static OTHERS: OnceLock<[File; 8]> = OnceLock::new();

fn as_libketama(path: &File, file: &[u8], was_good: bool) {
    let (returned, continuum) = path.roll();
    let error = text(ketama_error());
    let refused_at = |line| {
        assert_eq!(returned, 0);
        let end = [
            format!(" (line {line} in ").as_bytes(),
            path.path.to_bytes(),
            b")",
        ]
        .concat();
        assert!(
            error.len() > end.len() && error.ends_with(&end),
            "{:?}",
            text_of(&error)
        );
        if was_good {
            let (servers, _) = grammar::strict(BEFORE).unwrap();
            continuum.is(&servers);
        } else {
            continuum.is(&[]);
        }
    };
    let definitions = match grammar::libketama(file) {
        Ok(definitions) => definitions,
        Err(line) => return refused_at(line),
    };
    if definitions.is_empty() {
        assert_eq!(returned, 0);
        let expected = [
            b"No valid server definitions in file ",
            path.path.to_bytes(),
        ]
        .concat();
        assert_eq!(text_of(&error), text_of(&expected));
        return continuum.is(&[]);
    }
    let mut sum = 0u64;
    for &(_, weight, line) in &definitions {
        match sum.checked_add(weight) {
            Some(more) => sum = more,
            None => return refused_at(line),
        }
    }
    assert_eq!((returned, text_of(&error)), (1, String::new()));
    let servers: Servers = definitions
        .into_iter()
        .map(|(name, weight, _)| (name, weight))
        .collect();
    continuum.is(&servers);
}

fn strictly(path: &File, file: &[u8], dialect: usize) {
    let rules = c::dialect_rules(dialect);
    let made = || {
        // SAFETY: a path ended by a NUL.
        Ring::from(|out| unsafe {
            ketama_ring_from_file(path.path.as_ptr(), dialect as c_int, out)
        })
    };
    let (servers, weights) = match grammar::strict(file) {
        Ok(read) => read,
        Err((line, column)) => {
            assert_eq!(made().err(), Some(KETAMA_SYNTAX as c_int));
            assert!(c::error_begins(&format!(
                "line {line}, column {column}: expected "
            )));
            return;
        }
    };
    let list = borrowed(&servers);
    let mut errors = model::errors(&list, &rules);
    let is_more = |most| errors.is_empty() && model::count(&list, &rules) > most;
    let is_large = is_more(MOST_POINTS);
    if is_more(FAR_MORE) {
        return;
    }
    // A weight of 0 is then said to be in the wrong place, as everything else in the file.
    if errors.remove(&(KETAMA_ZERO_WEIGHT as c_int)) {
        errors.insert(KETAMA_SYNTAX as c_int);
    }
    match made() {
        Ok(ring) => {
            assert!(errors.is_empty(), "{errors:?}");
            assert_eq!(ring.servers(), servers);
            assert!(is_large || ring.points() == Model::new(&list, &rules).points);
        }
        Err(status) => {
            assert!(errors.contains(&status), "{status}, not {errors:?}");
            if status == KETAMA_SYNTAX as c_int {
                let zero = servers.iter().position(|&(_, weight)| weight == 0).unwrap();
                let (line, column) = weights[zero];
                assert!(c::error_begins(&format!(
                    "line {line}, column {column}: expected "
                )));
            }
        }
    }
}

/// What the command's `lint` asks.
fn pieces(file: &[u8]) {
    let pieces: Vec<ketama::libketama::Piece> = ketama::libketama::pieces(file).collect();
    let texts: Vec<&[u8]> = pieces.iter().map(|piece| piece.text).collect();
    assert_eq!(texts.concat(), file);
    let bad = pieces.iter().position(|piece| piece.read.is_err());
    let read = grammar::libketama(file);
    assert_eq!(read.as_ref().err().copied(), bad.map(|index| index + 1));
    if let Ok(definitions) = read {
        let servers = pieces
            .iter()
            .filter_map(|piece| piece.read.as_ref().unwrap().as_ref());
        let servers = servers.map(|server| (&*server.name, server.weight));
        assert!(servers.eq(definitions.iter().map(|one| (&*one.0, one.1))));
    }
}

/// A file in memory, which has a path as long as it is open.
struct File {
    file: fs::File,
    path: CString,
}

impl File {
    fn new(text: &[u8]) -> File {
        // SAFETY: a name ended by a NUL; the descriptor is new.
        let file = unsafe {
            let descriptor = libc::memfd_create(c"servers".as_ptr(), libc::MFD_CLOEXEC);
            assert!(descriptor >= 0);
            fs::File::from_raw_fd(descriptor)
        };
        let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
        let new = File { file, path };
        new.write(text);
        new
    }

    fn write(&self, text: &[u8]) {
        self.file.set_len(0).unwrap();
        self.file.write_all_at(text, 0).unwrap();
    }

    fn roll(&self) -> (c_int, Continuum) {
        let mut continuum = std::ptr::null_mut();
        // SAFETY: a path ended by a NUL.
        let returned = unsafe { ketama_roll(&mut continuum, self.path.as_ptr()) };
        assert!(!continuum.is_null());
        (returned, Continuum(continuum))
    }

    fn roll_good(&self) -> Continuum {
        let (returned, continuum) = self.roll();
        assert_eq!(returned, 1);
        continuum
    }
}

struct Continuum(ketama_continuum);

impl Continuum {
    /// Checks that it is the ring of these servers, or empty without any.
    fn is(&self, servers: &[(Vec<u8>, u64)]) {
        let list = borrowed(servers);
        let rules = c::dialect_rules(0);
        // SAFETY: it lives, and its array has as many points as it says.
        unsafe {
            let continuum = &*self.0;
            let ring = ketama_continuum_ring(self.0);
            if servers.is_empty() {
                assert_eq!(continuum.numpoints, 0);
                assert!(continuum.array.is_null() && continuum.modtime.is_null() && ring.is_null());
                assert!(ketama_get_server(c"key".as_ptr(), self.0).is_null());
                return;
            }
            assert_eq!(c::servers(ring), servers);
            let points = model::count(&list, &rules);
            assert_eq!(continuum.numpoints as u128, points);
            if points > MOST_POINTS {
                return;
            }
            let model = Model::new(&list, &rules);
            let array: *const mcs = continuum.array.cast();
            for (at, &(position, server)) in model.points.iter().enumerate() {
                let point = array.add(at);
                let name = &servers[server].0;
                assert_eq!((*point).point, position);
                assert_eq!(
                    text((&raw const (*point).ip).cast()),
                    name[..name.len().min(22)]
                );
            }
            for key in [c"", c"key", c"10.0.0.1:11211-0"] {
                let at = model.point_of(model.hash(key.to_bytes()));
                let found = ketama_get_server(key.as_ptr(), self.0);
                assert_eq!(found.cast_const(), array.add(at));
                let len = key.to_bytes().len();
                assert_eq!(ketama_ring_find_point(ring, key.as_ptr().cast(), len), at);
            }
        }
    }
}

impl Drop for Continuum {
    fn drop(&mut self) {
        // SAFETY: from a roll, and nobody uses it any more.
        unsafe { ketama_smoke(self.0) };
    }
}

fn borrowed(servers: &[(Vec<u8>, u64)]) -> Vec<(&[u8], u64)> {
    servers
        .iter()
        .map(|(name, weight)| (&**name, *weight))
        .collect()
}

fn text(text: *const std::ffi::c_char) -> Vec<u8> {
    // SAFETY: a text of the library, ended by a NUL, copied at once.
    unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
