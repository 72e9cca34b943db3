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
    (cd "$root/bindings/python/tests" && "$venv/python" -B -m unittest test_hash_ring)
    if command -v memcached >/dev/null; then
        (cd "$root/bindings/python/tests" && "$venv/python" -B -W ignore::ResourceWarning -m unittest test_memcache_ring)
        report "Python: MemcacheRing finds pylibmc's keys and is found, and outlives servers"
    else
        not_run MemcacheRing 'there is no memcached'
    fi
    versions=$("$venv/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    for python in python3.9 python3.10 python3.11 python3.12 python3.13 python3.14 \
        "$HOME"/.pyenv/versions/3.*/bin/python; do
        version=$("$python" -c 'import ensurepip, os, sys, sysconfig, venv
assert sys.version_info >= (3, 9) and os.path.exists(sysconfig.get_path("include") + "/Python.h")
print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        case " $versions " in *" $version "*) continue ;; esac
        own=$target/python/$version
        if [ ! -e "$own/ready" ]; then
            if ! { "$python" -m venv --clear "$own" &&
                "$own/bin/pip" install -q --disable-pip-version-check setuptools==80.9.0; }; then
                not_run "Python $version" 'pip cannot install setuptools'
                continue
            fi
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

# --- the others: once with each library
stage=$target/stage/usr/lib
for place in "$target/release" "$stage"; do
    export LD_LIBRARY_PATH="$place"
    if [ "$place" = "$stage" ]; then
        what='an installed library'
        export PKG_CONFIG_PATH="$stage/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$target/stage"
    else
        what="the build tree's library"
        export PKG_CONFIG_PATH="$place"
    fi

    if ruby -e 'require "ffi"; require "minitest"' 2>/dev/null && rake --version >/dev/null 2>&1; then
        (cd "$root/bindings/ruby" && rake)
        report "Ruby: the gem's tests pass with $what"
    else
        not_run "Ruby with $what" 'there is no rake, or no ffi or minitest for Ruby'
    fi

    if php -r 'exit(class_exists("FFI") ? 0 : 1);' 2>/dev/null && phpunit --version >/dev/null 2>&1 &&
        ls /usr/sbin/php-fpm[0-9]* >/dev/null 2>&1 && command -v cgi-fcgi >/dev/null; then
        (cd "$root/bindings/php" && phpunit)
        report "PHP: the package's tests pass with $what"
    else
        not_run "PHP with $what" 'there is no phpunit, FFI, php-fpm or cgi-fcgi'
    fi

    if go version >/dev/null 2>&1; then
        # Under the race detector, and with every pointer that goes to C checked.
        (export GOCACHE="$target/go" GOPROXY=off
            cd "$root/bindings/go" && go vet ./... && go test -count=1 -race ./... &&
            GODEBUG=cgocheck=2 go test -count=1 ./...)
        report "Go: the module's tests pass with $what"
    else
        not_run "Go with $what" 'there is no go'
    fi
done
