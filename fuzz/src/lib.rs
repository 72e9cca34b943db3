//! What the fuzz targets share: the library as C sees it, and what it is compared with.

pub mod c;
pub mod grammar;
pub mod input;
pub mod model;

#[path = "../../tests/model/mod.rs"]
pub mod dialects;
