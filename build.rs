//! Link arguments of the shared library alone.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The name that programs linked against the original ask the loader for.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libketama.so.1");
    // The fork handler and other threads' error texts must outlive a dlclose.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
