//! How a command ends.

use std::io;

/// A command's exit status where it could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Fine,
    /// The answer is bad news.
    BadNews,
}

impl Status {
    pub fn bad_news_if(is_bad: bool) -> Status {
        if is_bad {
            Status::BadNews
        } else {
            Status::Fine
        }
    }
}

/// Why it could not.
#[derive(Debug)]
pub enum Failure {
    /// Nobody reads the output any more.
    Closed,
    /// What, where and what to do, in one line.
    Text(String),
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Failure {
        Failure::Text(text.into())
    }
}

/// Errors of the output alone come this way: those of input know the file's name.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => Failure::new(format!(
                "cannot write the output: {error}; is the disk full?"
            )),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Failure {
        io::Error::from(error).into()
    }
}

impl From<csv::Error> for Failure {
    fn from(error: csv::Error) -> Failure {
        io::Error::from(error).into()
    }
}
