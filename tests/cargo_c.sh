#!/bin/sh
# Checks that cargo-c installs the library that `make install` does. Not part of `make test`, since few have
# cargo-c and it takes longer to build than all the tests to run.
#
# usage: tests/cargo_c.sh TARGET
set -eu
if ! command -v cargo-cinstall >/dev/null; then
    echo 'cargo-c is missing: cargo install cargo-c --locked'
    exit 1
fi
folder=$1/cargo-c
rm -rf "$folder/made" "$folder/theirs"
make --no-print-directory install "DESTDIR=$folder/made" PREFIX=/usr LIBDIR=/usr/lib >/dev/null
cargo cinstall --release --target-dir "$folder/build" --destdir "$folder/theirs" --prefix /usr --libdir lib

facts() { # ROOT
    lib=$1/usr/lib
    (cd "$1" && find usr/lib usr/include ! -type d ! -path '*/cmake/*' | sort)
    cat "$1/usr/include/ketama.h" "$1/usr/include/ketama.hpp"
    nm -D --defined-only "$lib/libketama.so.1" | sed 's/^[^ ]* //' | sort
    readelf -dW "$lib/libketama.so.1" | sed -n 's/.*\(soname\|NODELETE\)/\1/p'
    export PKG_CONFIG_LIBDIR="$lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$1"
    pkg-config --modversion ketama
    cc examples/lookup.c $(pkg-config --cflags --libs ketama) -o "$1/shared"
    # Not with -static: the libraries that cargo-c's ketama.pc names for that have the shared libgcc_s.
    cc examples/lookup.c $(pkg-config --cflags ketama) "$lib/libketama.a" -o "$1/static"
    LD_LIBRARY_PATH="$lib" "$1/shared" examples/ketama.servers examples/keys.txt
    "$1/static" examples/ketama.servers examples/keys.txt
}
facts "$folder/made" >"$folder/made.txt"
facts "$folder/theirs" >"$folder/theirs.txt"
diff "$folder/made.txt" "$folder/theirs.txt"
echo "cargo-c installs the same"
