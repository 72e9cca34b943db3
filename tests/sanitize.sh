#!/bin/sh
# Runs the programs of c_tests/ and the library's own tests under sanitizers, in TARGET/sanitize:
#
#   address    the library, its tests and the programs, with a check for leaks
#   thread     the library and the programs that have threads
#   undefined  the programs and the header's inline code, with the library as it is
#
# The first two are of Rust's nightly, which RUSTC_BOOTSTRAP opens, and come with their runtimes.
# Rust's standard library is not compiled for them, but what of it is inlined into ours is. No report
# is suppressed.
#
# usage: tests/sanitize.sh TARGET
set -eu
mkdir -p "$1/sanitize"
out=$(cd "$1/sanitize" && pwd)
cd "$(dirname "$0")/.."
triple=$(rustc -vV | sed -n 's/^host: //p')
runtime() { # NAME
    echo "$(rustc --print target-libdir)/librustc-stable_rt.$1.a"
}

# Without optimisation: it is built in a tenth of the time, and asserts what unsafe code promises.
library() { # SANITIZER RUSTFLAGS CARGO-COMMAND
    echo "sanitizer $1: $3 the library"
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$1 $2" CARGO_PROFILE_DEV_DEBUG=line-tables-only \
        cargo "$3" --lib --target "$triple" --target-dir "$out/$1"
}
programs() { # SANITIZER TEST-ARGUMENT...
    echo "sanitizer $1: the programs"
    sanitizer=$1
    shift
    KETAMA_SANITIZER=$sanitizer cargo test --release --test c_programs -- "$@"
}
programs_with() { # RUNTIME SANITIZER TEST-ARGUMENT...
    runtime=$(runtime "$1")
    shift
    KETAMA_RUNTIME=$runtime KETAMA_LIBRARY=$out/$1/$triple/debug/libketama.so programs "$@"
}

export ASAN_OPTIONS=allow_addr2line=1:check_initialization_order=1:strict_string_checks=1
export TSAN_OPTIONS=allow_addr2line=1

programs undefined

# Says what cannot be had, as the tests do.
if [ ! -e "$(runtime asan)" ] || [ ! -e "$(runtime tsan)" ]; then
    why="this Rust has none for $triple; rustup's has, for x86-64 and AArch64"
    echo "not run: sanitizers: $why"
    [ -z "${KETAMA_NOT_RUN-}" ] || echo "sanitizers: $why" >>"$KETAMA_NOT_RUN"
    exit
fi

library address "" build
# unchanged.c has an allocator of its own, in the place of the sanitizer's.
programs_with asan address --skip rolling_an_unchanged_file
library address "" test

cc -c -fPIC -O1 -Wall -Wextra -Wpedantic -Werror tests/sanitize/fence.c -o "$out/fence.o"
library thread "-Cunsafe-allow-abi-mismatch=sanitizer -Clink-arg=$out/fence.o" build
# Those that have threads, and say so in their tests' names. fork.c does not: it stands between the
# library and pthread_mutex_unlock(), as the sanitizer would.
programs_with tsan thread thread
