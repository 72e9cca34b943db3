#!/bin/sh
# Runs the tests of the bindings: of Python with its wheel, of the others with the library of the
# build tree and with an installed one. What cannot run is noted in $KETAMA_NOT_RUN.
#
# usage: tests/bindings.sh TARGET
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
target=$(cd "$1" && pwd)
venv=$target/venv/bin

not_run() { # TEST WHY
    echo "not run: $1: $2"
    echo "$1: $2" >>"$KETAMA_NOT_RUN"
}
report() {
    echo "$1"
    echo "$1" >>"$KETAMA_REPORT"
}

# --- Python: the wheel in the environment that it was built in, and in those of other versions
if [ -x "$venv/mypy" ]; then
    "$root/tests/wheel.sh" "$target/venv" "$target/wheel"
    (cd "$root/bindings/python" && "$venv/mypy" --cache-dir "$target/mypy" src tests/typed.py)
    (cd "$target" && "$venv/python" -W ignore::ResourceWarning -m unittest discover -s "$root/bindings/python/tests")
    versions=$("$venv/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    for python in python3.9 python3.10 python3.11 python3.12 python3.13 python3.14 \
        "$HOME"/.pyenv/versions/3.*/bin/python; do
        version=$("$python" -c 'import sys, ensurepip, venv
assert sys.version_info >= (3, 9)
print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        case " $versions " in *" $version "*) continue ;; esac
        own=$target/python/$version
        if [ ! -e "$own/ready" ]; then
            "$python" -m venv --clear "$own"
            "$own/bin/pip" install -q --disable-pip-version-check setuptools==80.9.0
            touch "$own/ready"
        fi
        "$root/tests/wheel.sh" "$own" "$own/wheel"
        (cd "$root/bindings/python/tests" && "$own/bin/python" -B -m unittest test_hash_ring)
        versions="$versions $version"
    done
    report "Python: hash_ring's tests pass in Python $versions"
else
    not_run Python "there is no $venv/mypy"
fi
