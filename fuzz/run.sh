#!/bin/sh
# Builds the fuzz targets and runs each for so many seconds, from what the tests have recorded and what
# earlier runs have found. It fails at the first finding, and leaves its input in
# TARGET/fuzz/findings/NAME.
#
# cargo-fuzz is not needed: building it takes as long as building the targets. These are its flags, but
# for the last two, without which the library's kernels compile for minutes: more units at once, and
# the sanitizer's checks as calls where there are many.
#
# usage: fuzz/run.sh TARGET SECONDS [NAME...]
set -eu
folder=$1/fuzz
seconds=$2
shift 2
[ $# -gt 0 ] || set -- files rings keys compare
sources=$(dirname "$0")
host=$(rustc -vV | sed -n 's/^host: //p')
built=$folder/$host/release

# The sanitizer is meant for nightly compilers: RUSTC_BOOTSTRAP lets any other have it.
RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0 -Zsanitizer=address \
    -Cllvm-args=-sanitizer-coverage-stack-depth -Ccodegen-units=16 \
    -Cllvm-args=-asan-instrumentation-with-call-threshold=50" \
    cargo build --locked --release --manifest-path "$sources/Cargo.toml" --target "$host" \
    --target-dir "$folder" --bins --examples
rm -rf "$folder/seeds"
"$built/examples/seeds" "$folder/seeds"

for name in "$@"; do
    mkdir -p "$folder/corpus/$name" "$folder/findings/$name"
    log=$folder/$name.log
    dictionary=$sources/$name.dict
    [ -e "$dictionary" ] && set_dictionary=-dict=$dictionary || set_dictionary=
    if ! "$built/$name" -max_total_time="$seconds" -timeout=60 -artifact_prefix="$folder/findings/$name/" \
        -print_final_stats=1 $set_dictionary "$folder/corpus/$name" "$folder/seeds/$name" >"$log" 2>&1; then
        tail -n 60 "$log"
        echo "fuzz target $name: a finding; all of its output is in $log"
        exit 1
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    echo "fuzz target $name: $runs inputs, $edges edges, no finding"
done
