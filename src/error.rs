#![forbid(unsafe_code)]

use std::collections::TryReserveError;
use std::convert::Infallible;
use std::fmt;
use std::io;

/// Why a [`Ring`](crate::Ring) could not be made.
///
/// `server` is the index, from 0, of the server at fault in the list that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The list of servers is empty.
    NoServers,
    /// A server's name is empty.
    EmptyName { server: usize },
    /// A server's name is longer than [`MAX_NAME`](crate::Server::MAX_NAME) bytes.
    LongName { server: usize },
    /// A server's weight is 0.
    ZeroWeight { server: usize },
    /// The sum of the weights, up to and with this server's, is 2^64 or more.
    WeightSum { server: usize },
    /// Up to and with this server the ring has more than 2^31 - 1 points.
    TooManyPoints { server: usize },
    /// By these rules no server gets a point.
    NoPoints,
    /// A field of the [`Rules`](crate::Rules) is out of its range.
    InvalidRules(&'static str),
    /// There is no dialect of this name or number.
    UnknownDialect,
    /// The ring has no server of this name.
    UnknownServer,
    /// Two rings that are compared place keys by different hashes.
    DifferentHashes,
    /// The bytes of packed keys from this key on are none: its offsets descend, or exceed them.
    Offsets { key: usize },
    /// A definition file cannot be read. With the system's error number, or 0 where it is no
    /// regular file.
    Unreadable(i32),
    /// A definition file says something else each time that it is read.
    Changing,
    /// A definition file has something else at this place than what is expected. Lines and columns
    /// count from 1, columns in bytes.
    Syntax {
        line: usize,
        column: usize,
        expected: &'static str,
    },
    /// There is not enough memory for the ring.
    OutOfMemory,
}

impl Error {
    /// The index of the server at fault, where there is one.
    pub fn server(&self) -> Option<usize> {
        match *self {
            Error::EmptyName { server }
            | Error::LongName { server }
            | Error::ZeroWeight { server }
            | Error::WeightSum { server }
            | Error::TooManyPoints { server } => Some(server),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Error::NoServers => write!(f, "the list of servers is empty"),
            Error::EmptyName { server } => write!(f, "server {server}: the name is empty"),
            Error::LongName { server } => {
                write!(
                    f,
                    "server {server}: the name is longer than {} bytes",
                    crate::Server::MAX_NAME
                )
            }
            Error::ZeroWeight { server } => write!(f, "server {server}: the weight is 0"),
            Error::WeightSum { server } => {
                write!(f, "server {server}: the sum of the weights reaches 2^64")
            }
            Error::TooManyPoints { server } => {
                write!(f, "server {server}: the ring exceeds {} points", i32::MAX)
            }
            Error::NoPoints => write!(f, "by these rules no server gets a point"),
            Error::InvalidRules(field) => write!(f, "the rules' {field} is out of range"),
            Error::UnknownDialect => write!(f, "there is no such dialect"),
            Error::UnknownServer => write!(f, "the ring has no server of this name"),
            Error::DifferentHashes => {
                write!(
                    f,
                    "the rings place keys by different hashes, so that any key may move"
                )
            }
            Error::Unreadable(0) => write!(f, "it is not a regular file"),
            Error::Unreadable(errno) => {
                write!(f, "cannot read it: {}", io::Error::from_raw_os_error(errno))
            }
            Error::Changing => write!(f, "it changes while it is read"),
            Error::Offsets { key } => {
                write!(f, "the offsets of key {key} descend or are too large")
            }
            Error::Syntax {
                line,
                column,
                expected,
            } => write!(f, "line {line}, column {column}: expected {expected}"),
            Error::OutOfMemory => write!(f, "not enough memory for the ring"),
        }
    }
}

impl std::error::Error for Error {}

impl From<TryReserveError> for Error {
    fn from(_: TryReserveError) -> Error {
        Error::OutOfMemory
    }
}

/// A list whose size the caller's data decides, hence one that may not fit.
pub(crate) fn try_collect<T>(items: impl ExactSizeIterator<Item = T>) -> Result<Box<[T]>, Error> {
    let mut list = Vec::new();
    list.try_reserve_exact(items.len())?;
    list.extend(items);
    Ok(list.into_boxed_slice())
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::OutOfMemory => Error::OutOfMemory,
            _ => Error::Unreadable(error.raw_os_error().unwrap_or(0)),
        }
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Error {
        match never {}
    }
}
