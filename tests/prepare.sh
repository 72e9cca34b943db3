#!/bin/sh
# Prepares what `make test` and `make bench` need beside Rust and a C compiler: Debian packages, the original
# libketama from the PyPI package `ketama`, in the virtual environment TARGET/venv, and npm hashring in TARGET/node. What cannot be had is named,
# with how to get it; the tests that want it are then counted as not run.
#
# usage: tests/prepare.sh TARGET
set -eu
target=$1
folder=$(dirname "$0")
reference=$target/reference/libketama.so.1

# --- Debian packages: a test of each, and its name
missing=
wants() { # PACKAGE COMMAND...
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
can_build_extensions() {
    python3 -c 'import ensurepip, os, sysconfig, venv
assert os.path.exists(sysconfig.get_path("include") + "/Python.h")'
}
find_missing() {
    missing=
    wants g++ c++ --version
    wants pkg-config pkg-config --version
    wants valgrind valgrind --version
    wants libmemcached-dev test -e /usr/include/libmemcached/memcached.h
    wants nodejs node --version
    wants npm npm --version
    can_build_extensions 2>/dev/null || missing="$missing python3-venv python3-dev"
}
find_missing
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing with apt-get:$missing"
        { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y $missing; } \
            >"$target/apt.log" 2>&1 || echo "apt-get failed; its output is in $target/apt.log"
        find_missing
    fi
    if [ -n "$missing" ]; then
        echo "missing:$missing"
        echo "the tests that need them will not run; to have them: sudo apt-get install$missing"
    fi
fi

# --- the original
if [ ! "$reference" -nt "$folder/reference/libketama.c" ] && can_build_extensions 2>/dev/null; then
    echo "building the original libketama from the PyPI package ketama 0.1.1, in $target/venv"
    if ! {
        python3 -m venv "$target/venv" &&
        "$target/venv/bin/pip" install setuptools==80.9.0 &&
        # Lazy binding: its Python functions are never called, and need not be there.
        LDFLAGS=-Wl,-z,lazy "$target/venv/bin/pip" install --no-build-isolation ketama==0.1.1
    } >"$target/pip.log" 2>&1; then
        echo "pip failed, so comparisons with the original will not run; its output is in $target/pip.log"
    elif extension=$("$target/venv/bin/python" -c 'import ketama; print(ketama.__file__)'); then
        mkdir -p "$target/reference"
        cc -shared -fPIC -O2 -Wall -Wextra -Werror -DEXTENSION="\"$extension\"" -Wl,-soname,libketama.so.1 \
            "$folder/reference/libketama.c" -ldl -o "$reference"
    fi
fi

# --- npm hashring
if [ ! -d "$target/node/node_modules/hashring" ] && command -v npm >/dev/null && command -v node >/dev/null; then
    echo "installing npm hashring, in $target/node"
    mkdir -p "$target/node"
    cp "$folder/peers/package.json" "$folder/peers/package-lock.json" "$target/node"
    (cd "$target/node" && npm ci --ignore-scripts) >"$target/npm.log" 2>&1 ||
        echo "npm failed, so comparisons with it will not run; its output is in $target/npm.log"
fi
