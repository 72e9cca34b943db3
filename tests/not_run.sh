#!/bin/sh
# Counts the tests that could not run, and fails for them where CI is set.
#
# usage: tests/not_run.sh LIST
if [ ! -s "$1" ]; then
    echo "every test ran"
    exit 0
fi
echo "$(wc -l <"$1") not run:"
sed 's/^/  /' "$1"
[ -z "${CI-}" ]
