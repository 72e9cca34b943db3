#!/bin/sh
# Builds Python's wheel into a folder, and installs it from there into the virtual environment that
# has built it, with no compiler at hand.
#
# usage: tests/wheel.sh VENV FOLDER
set -eu
rm -rf "$2" "$(dirname "$0")/../bindings/python/build"
"$1/bin/pip" wheel -q --disable-pip-version-check --no-build-isolation --no-deps -w "$2" \
    "$(dirname "$0")/../bindings/python"
PATH=/nonexistent "$1/bin/pip" install -q --disable-pip-version-check --no-index --no-deps \
    --force-reinstall "$2"/*.whl
