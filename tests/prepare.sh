#!/bin/sh
# Prepares what the tests and the benchmark need beside Rust and a C compiler: Debian packages, the
# original libketama and Python's parts in the virtual environment TARGET/venv, and npm's in
# TARGET/node. What cannot be had is named, with how to get it; the tests that want it are then
# counted as not run.
#
# usage: tests/prepare.sh TARGET [fast]     fast: what `make test-fast` needs, and no more
set -eu
target=$1
folder=$(dirname "$0")
reference=$target/reference/libketama.so.1

# --- Debian packages: a test of each, and its name
wants() { # PACKAGE COMMAND...
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
can_build_extensions() {
    python3 -c 'import ensurepip, os, sysconfig, venv
assert os.path.exists(sysconfig.get_path("include") + "/Python.h")'
}
has_php_fpm() {
    # sbin is not in everybody's PATH.
    ls /usr/sbin/php-fpm[0-9]*
}
find_missing() {
    missing=
    wants g++ c++ --version
    wants pkg-config pkg-config --version
    wants valgrind valgrind --version
    wants clang clang --version
    wants abigail-tools abidiff --version
    wants cmake cmake --version
    wants mandoc command -v mandoc
    wants man-db man --version
    [ "${1-}" = fast ] && return
    wants debhelper command -v dh
    wants lintian lintian --version
    wants mmdebstrap mmdebstrap --version
    can_build_extensions 2>/dev/null || missing="$missing python3-venv python3-dev"
    wants libmemcached-dev test -e /usr/include/libmemcached/memcached.h
    wants nodejs node --version
    wants npm npm --version
    wants memcached memcached --version
    wants nutcracker nutcracker --version
    wants nginx-light nginx -v
    wants php-cli php --version
    wants php-memcached php -r 'new Memcached();'
    wants phpunit phpunit --version
    wants php-fpm has_php_fpm
    wants libfcgi-bin command -v cgi-fcgi
    wants ruby ruby --version
    wants rake rake --version
    wants ruby-ffi ruby -e 'require "ffi"'
    wants ruby-minitest ruby -e 'require "minitest"'
    wants ruby-dalli ruby -e 'require "dalli"'
    wants golang-go go version
    wants luajit luajit -v
    wants default-jdk-headless javac -version
    wants libspymemcached-java test -e /usr/share/java/spymemcached.jar
}
install_missing() {
    # The tests start their own servers: none of these is to run as a service for that.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
}
find_missing "${2-}"
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing with apt-get:$missing"
        (install_missing) >"$target/apt.log" 2>&1 || echo "apt-get failed; its output is in $target/apt.log"
        find_missing "${2-}"
    fi
    if [ -n "$missing" ]; then
        echo "missing:$missing"
        echo "the tests that need them will not run; to have them: sudo apt-get install$missing"
    fi
fi
[ "${2-}" = fast ] && exit

# Whether something is made already, from this file as it is.
is_made_from() { # STAMP FILE
    cmp -s "$1" "$2"
}

# --- Python's packages
requirements=$folder/python-requirements.txt
if ! is_made_from "$target/venv/requirements.txt" "$requirements" && can_build_extensions 2>/dev/null; then
    echo "installing the packages of tests/python-requirements.txt, and the original libketama from the PyPI"
    echo "package ketama 0.1.1, in $target/venv"
    if {
        python3 -m venv --clear "$target/venv" &&
        "$target/venv/bin/pip" install -r "$requirements" &&
        # Lazy binding: its Python functions are never called, and need not be there.
        LDFLAGS=-Wl,-z,lazy "$target/venv/bin/pip" install --no-build-isolation ketama==0.1.1
    } >"$target/pip.log" 2>&1; then
        cp "$requirements" "$target/venv/requirements.txt"
    else
        echo "pip failed, so what needs them will not run; its output is in $target/pip.log"
    fi
fi

# --- the original
if [ ! "$reference" -nt "$folder/reference/libketama.c" ] &&
    extension=$("$target/venv/bin/python" -c 'import ketama; print(ketama.__file__)' 2>/dev/null); then
    mkdir -p "$target/reference"
    cc -shared -fPIC -O2 -Wall -Wextra -Werror -DEXTENSION="\"$extension\"" -Wl,-soname,libketama.so.1 \
        "$folder/reference/libketama.c" -ldl -o "$reference"
fi

# --- npm's packages
lock=$folder/peers/package-lock.json
if ! is_made_from "$target/node/made-from.json" "$lock" && command -v npm >/dev/null; then
    echo "installing the packages of tests/peers/package.json, in $target/node"
    mkdir -p "$target/node"
    cp "$folder/peers/package.json" "$lock" "$target/node"
    if (cd "$target/node" && npm ci --ignore-scripts) >"$target/npm.log" 2>&1; then
        cp "$lock" "$target/node/made-from.json"
    else
        echo "npm failed, so what needs them will not run; its output is in $target/npm.log"
    fi
fi

# --- a fresh Debian, for its packages
system=$target/debian-root.tar
if [ ! -e "$system" ] && [ "$(id -u)" = 0 ] && command -v mmdebstrap >/dev/null; then
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    echo "making a fresh Debian $suite, in $system"
    # It need not survive a loss of power.
    if mmdebstrap --variant=apt --include=gcc,libc6-dev,pkgconf --dpkgopt=force-unsafe-io "$suite" \
        "$target/debian-part.tar" >"$target/mmdebstrap.log" 2>&1; then
        mv "$target/debian-part.tar" "$system"
    else
        rm -f "$target/debian-part.tar"
        echo "mmdebstrap failed, so the packages are not installed; its output is in $target/mmdebstrap.log"
    fi
fi
