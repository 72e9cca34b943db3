//! docs/unsafe.md counts the unsafe code of src/, and every unsafe function has its contract.
//!
//! `make docs-unsafe` runs the first test with KETAMA_WRITE_DOCS set, and so rewrites it. That each
//! block and impl says why it is sound is for clippy to see: `undocumented_unsafe_blocks`, in
//! Cargo.toml.

mod common;

use common::ROOT;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Lit, Meta};

/// What each file needs unsafe code for.
const WHY: &[(&str, &str)] = &[
    (
        "capi.rs",
        "reads bytes that C passed, and holds pthread_cancel() off",
    ),
    (
        "capi/libketama.rs",
        "takes C's pointers, hands continua out and takes them back, and prints with printf()",
    ),
    (
        "capi/lookup.rs",
        "takes C's pointers and writes to its arrays; keys that were checked once are not checked again",
    ),
    (
        "capi/mutex.rs",
        "pthread's mutex, which a fork handler may try and race detectors know, around a value",
    ),
    (
        "capi/ring.rs",
        "takes C's pointers and writes to its arrays; a ring's owners are counted behind one",
    ),
    (
        "capi/rolled.rs",
        "the table of rolled files is published in an atomic pointer and never freed, for children of fork()",
    ),
    (
        "capi/rules.rs",
        "takes C's pointers, and reads a struct's size before the struct",
    ),
    (
        "capi/watch.rs",
        "takes C's pointers, hands watches out and takes them back",
    ),
    (
        "hash/bytewise.rs",
        "hashes written once for vectors of any kind, to be inlined into code for the kind's instructions",
    ),
    (
        "hash/bytewise/avx2.rs",
        "instructions that the processor has, as `Simd` says",
    ),
    ("hash/bytewise/avx512.rs", "the same"),
    (
        "hash/lanes.rs",
        "calls code for instructions that the processor has; gets keys by their place unchecked, since a check \
         takes longer than hashing one in lanes",
    ),
    (
        "hash/lanes/avx2.rs",
        "loads keys' bytes into vectors through masks, which leave out what is behind their ends",
    ),
    ("hash/lanes/avx512.rs", "the same"),
    (
        "hash/md5.rs",
        "calls code for instructions that the processor has",
    ),
    (
        "hash/md5/avx2.rs",
        "words of blocks that are loaded only where they are read; an empty asm!, which keeps a sum's order",
    ),
    ("hash/md5/avx512.rs", "the same"),
    (
        "hash/md5/nodes.rs",
        "calls code for instructions that the processor has",
    ),
    (
        "hash/md5/scalar.rs",
        "an empty asm!, which keeps a sum's order",
    ),
    (
        "ring/index.rs",
        "calls code for instructions that the processor has",
    ),
    (
        "ring/index/avx2.rs",
        "a window of points loaded at once, and no checks of bounds, which cost as much as the rest",
    ),
    (
        "ring/sort.rs",
        "calls code for instructions that the processor has",
    ),
];

const HEAD: &str = "\
# Unsafe code

`make docs-unsafe` writes this page, and a test fails where it is not what it would write.

The library's unsafe code is in the files below; the compiler refuses it in the others, and in all of the command's.
Each block and each impl says in a `SAFETY` comment why it is sound, which clippy checks, and each function says under
`# Safety` what its callers promise, which a test checks. The contract of a function that C calls is its documentation,
which is [`include/ketama.h`](../include/ketama.h) too: checked are NULL, numbers and enums; what else a pointer must be
is the caller's promise, as with any C library.

";

const TAIL: &str = "
Counted by a parser, as written: what stands in a macro's body counts once, however often it is used, and what macros of
other crates hide does not count. Functions include those of traits and impls, and the last column is of the `#[cfg(test)]`
parts, which the others leave out.

## What looks for mistakes in it

`make sanitize` runs the library's own tests and the programs of `c_tests/` under AddressSanitizer, with a check for
leaks, and those with threads under ThreadSanitizer. The library is compiled for each, without optimisation, so that the
standard library also asserts what its unsafe functions are promised. The programs run under UndefinedBehaviorSanitizer
too, which is of C and C++ alone, and under valgrind. They pass keys in blocks of exactly their size, and the library's
tests keys beside memory that cannot be read.

Miri follows the scalar path, the reading of files' texts and the C functions of rings, and reports nothing. It has neither
inline assembly nor all of the vector instructions, so that it plays another processor, and neither the flags that files
are opened with nor memory that cannot be read; searching, sorting and hashing many nodes take it hours. Tests of these
are skipped. It comes with nightly Rust alone and is no part of `make test`:

    rustup toolchain install nightly --component miri
    make miri
";

#[test]
fn the_table_of_unsafe_code_is_up_to_date() {
    let why: BTreeMap<&str, &str> = WHY.iter().copied().collect();
    let mut table = String::from(
        "| file in src/ | blocks | functions | traits and impls | in tests | why |\n\
         |---|---:|---:|---:|---:|---|\n",
    );
    let mut sum = [0; 4];
    let mut listed = Vec::new();
    for (name, code) in files() {
        let counts = code.counts();
        if counts == [0; 4] {
            continue;
        }
        let why = why.get(&*name);
        let why = why.unwrap_or_else(|| panic!("src/{name} has unsafe code: say why in WHY"));
        let [blocks, functions, impls, tests] = counts;
        writeln!(
            table,
            "| `{name}` | {blocks} | {functions} | {impls} | {tests} | {why} |"
        )
        .unwrap();
        sum.iter_mut()
            .zip(counts)
            .for_each(|(sum, count)| *sum += count);
        listed.push(name);
    }
    let [blocks, functions, impls, tests] = sum;
    writeln!(
        table,
        "| all | {blocks} | {functions} | {impls} | {tests} | |"
    )
    .unwrap();
    assert_eq!(
        listed,
        WHY.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        "WHY is of the files that have unsafe code, in their order"
    );

    let page = [HEAD, &table, TAIL].concat();
    let path = Path::new(ROOT).join("docs/unsafe.md");
    if std::env::var_os("KETAMA_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "docs/unsafe.md is stale: run `make docs-unsafe` and commit it"
    );
}

#[test]
fn every_unsafe_function_has_its_contract() {
    let files = files();
    let missing: Vec<String> = files
        .iter()
        .flat_map(|(name, code)| {
            code.without_contract
                .iter()
                .map(move |what| format!("{name}: {what}"))
        })
        .collect();
    assert!(missing.is_empty(), "no contract: {missing:#?}");
}

/// The files of src/ by name, parsed.
fn files() -> BTreeMap<String, Code> {
    let mut files = BTreeMap::new();
    let mut folders = vec![Path::new(ROOT).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let mut code = Code::default();
                code.visit_file(&syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap());
                let name = path.strip_prefix(Path::new(ROOT).join("src")).unwrap();
                files.insert(name.to_str().unwrap().to_owned(), code);
            }
        }
    }
    files
}

/// The unsafe code of a file.
#[derive(Default)]
struct Code {
    blocks: usize,
    functions: usize,
    /// Traits, impls and extern blocks.
    impls: usize,
    tests: usize,
    is_test: bool,
    without_contract: Vec<String>,
}

impl Code {
    fn counts(&self) -> [usize; 4] {
        [self.blocks, self.functions, self.impls, self.tests]
    }

    fn count(&mut self, kind: impl FnOnce(&mut Code) -> &mut usize) {
        *if self.is_test {
            &mut self.tests
        } else {
            kind(self)
        } += 1;
    }

    fn function(&mut self, signature: &syn::Signature, has_contract: bool) {
        if signature.unsafety.is_some() {
            self.count(|code| &mut code.functions);
            if !has_contract {
                self.without_contract.push(signature.ident.to_string());
            }
        }
    }

    /// What macros are given or made of, which is not parsed any further.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(word) if word == "unsafe" => match tokens.peek() {
                    Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                        self.count(|code| &mut code.blocks);
                    }
                    Some(TokenTree::Ident(next)) if next == "impl" || next == "trait" => {
                        self.count(|code| &mut code.impls);
                    }
                    _ => self.count(|code| &mut code.functions),
                },
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Code {
    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.count(|code| &mut code.blocks);
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        let attributes = &function.attrs;
        self.function(
            &function.sig,
            is_exported(attributes) || has_contract(attributes),
        );
        visit::visit_item_fn(self, function);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if item.unsafety.is_some() {
            self.count(|code| &mut code.impls);
        }
        for function in &item.items {
            if let syn::ImplItem::Fn(function) = function {
                // A trait's functions have the trait's contracts.
                let has_contract = item.trait_.is_some() || has_contract(&function.attrs);
                self.function(&function.sig, has_contract);
            }
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let is_unsafe = item.unsafety.is_some();
        // The trait's contract may be one for all of its functions.
        let of_all = has_contract(&item.attrs);
        if is_unsafe {
            self.count(|code| &mut code.impls);
            if !of_all {
                self.without_contract.push(item.ident.to_string());
            }
        }
        for function in &item.items {
            if let syn::TraitItem::Fn(function) = function {
                let has_contract = of_all && !is_unsafe || has_contract(&function.attrs);
                self.function(&function.sig, has_contract);
            }
        }
        visit::visit_item_trait(self, item);
    }

    fn visit_item_foreign_mod(&mut self, item: &'ast syn::ItemForeignMod) {
        if item.unsafety.is_some() {
            self.count(|code| &mut code.impls);
        }
        visit::visit_item_foreign_mod(self, item);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.tokens(item.tokens.clone());
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let was_test = self.is_test;
        self.is_test |= item.attrs.iter().any(is_for_tests);
        visit::visit_item_mod(self, item);
        self.is_test = was_test;
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    let is_test = || {
        attribute
            .parse_args::<syn::Path>()
            .is_ok_and(|path| path.is_ident("test"))
    };
    attribute.path().is_ident("cfg") && is_test()
}

/// Whether C calls this function, whose contract is its documentation then, written for C.
fn is_exported(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("unsafe"))
        && documentation(attributes).count() > 0
}

fn has_contract(attributes: &[Attribute]) -> bool {
    documentation(attributes).any(|line| line.trim() == "# Safety")
}

fn documentation(attributes: &[Attribute]) -> impl Iterator<Item = String> {
    attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
}
