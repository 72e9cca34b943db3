//! include/ketama.h is what the documentation and signatures of src/capi/ say.
//!
//! `make header` runs this test with KETAMA_WRITE_HEADER set, and so rewrites it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

const END: &str = "
#ifdef __cplusplus
}
#endif

#endif
";

#[test]
fn the_header_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut header = fs::read_to_string(root.join("src/capi/preamble.h")).unwrap();
    for part in ["src/capi/ring.rs", "src/capi/libketama.rs"] {
        header += &title(&root.join(part));
        header += &declarations(root, part);
    }
    header += END;

    let path = root.join("include/ketama.h");
    if std::env::var_os("KETAMA_WRITE_HEADER").is_some() {
        fs::write(&path, &header).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == header,
        "include/ketama.h is stale: run `make header` and commit it"
    );
}

/// The documentation at the head of a source file, as a C comment.
fn title(source: &Path) -> String {
    let source = fs::read_to_string(source).unwrap();
    let mut comment = "\n/*\n".to_owned();
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        writeln!(comment, " *{line}").unwrap();
    }
    comment + " */\n"
}

fn declarations(root: &Path, source: &str) -> String {
    let mut text = Vec::new();
    cbindgen::Builder::new()
        .with_config(cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap())
        .with_src(root.join(source))
        .generate()
        .unwrap()
        .write(&mut text);
    String::from_utf8(text).unwrap()
}
