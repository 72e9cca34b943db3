#!/bin/sh
# Prints the licenses of the crates that a package of this workspace is built from, which go with its
# binaries: where a crate offers a choice that has MIT, its MIT license; and those of data in it.
#
# usage: packaging/licenses.sh PACKAGE [OPTION-OF-CARGO-TREE...]
set -eu
package=$1
shift
sources=${CARGO_HOME:-$HOME/.cargo}/registry/src
cargo tree --locked --package "$package" --edges normal --no-dedupe --prefix none --format '{p} {l}' "$@" |
    LC_ALL=C sort -u |
    while read -r name version license; do
        # Not what runs in the compiler, nor this workspace's own.
        case $license in "("*) continue;; esac
        folder=$(ls -d "$sources"/*/"$name-${version#v}")
        printf '%s %s: %s\n\n' "$name" "$version" "$license"
        find "$folder" -maxdepth 1 -iname '*licen[cs]e*mit*' -exec cat {} + | grep . ||
            find "$folder" -maxdepth 1 -type f '(' -iname '*licen[cs]e*' -o -iname '*copying*' ')' -exec cat {} +
        # Their crates have a file that names this one.
        case $name in plotters*) cat "$(dirname "$0")/plotters.LICENSE";; esac
        find "$folder" -mindepth 2 -type f '(' -iname 'licen[cs]e*' -o -iname 'copying*' ')' -exec cat {} +
        printf '\n--------\n\n'
    done
