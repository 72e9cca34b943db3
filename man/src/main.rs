//! Writes manual pages from include/ketama.h: one for each function, and ketama(3), which has the
//! rest. The names of types lead to that.
//!
//! usage: ketama-man HEADER FOLDER VERSION DATE
#![forbid(unsafe_code)]

mod header;
mod page;

use header::{Header, Kind};
use page::Manual;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [header, folder, version, date] = arguments.as_slice() else {
        return Err("usage: ketama-man HEADER FOLDER VERSION DATE".into());
    };
    let text = fs::read_to_string(header)?;
    let manual = Manual {
        header: Header::parse(&text),
        version,
        date,
    };
    let folder = PathBuf::from(folder);
    fs::create_dir_all(&folder)?;
    let write = |name: &str, page: String| fs::write(folder.join(format!("{name}.3")), page);
    write("ketama", manual.overview())?;
    for item in manual.header.items() {
        match item.kind {
            Kind::Function => write(&item.name, manual.function(item))?,
            // Other names, such as those of the original, are too common for pages of their own.
            Kind::Type if item.name.starts_with("ketama_") => {
                write(&item.name, ".so man3/ketama.3\n".to_owned())?;
            }
            Kind::Type | Kind::Constant => {}
        }
    }
    Ok(())
}
