#!/bin/sh
# Make the virtual environment of this clone, and see to what it needs from the system.
#   scripts/install.sh          Python 3.11+ with venv, libgomp, git; then .venv from the pins
#   scripts/install.sh demo     also R where it can be had; says so where it cannot
#   scripts/install.sh test     also R and openssl, or stops; a C compiler where it can be had
# Installs system packages by apt where it may (root, or sudo without a password).
# Otherwise it names all that is missing and stops. Does nothing when nothing changed.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH

say() { echo "install: $*" >&2; }

missing=""

apt() { # apt PACKAGE...: install, or fail where this user or this system cannot
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then as=""; elif sudo -n true 2>/dev/null; then as="sudo -n"; else return 1; fi
    say "installing $* by apt"
    log=$(mktemp)
    $as apt-get update -qq >"$log" 2>&1 || true
    if $as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >>"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    tail -n 5 "$log" >&2
    rm -f "$log"
    return 1
}

need() { # need CHECK PACKAGE WHAT: pass the check, by apt where it must be, or note what is missing
    "$1" && return 0
    if apt "$2" && "$1"; then return 0; fi
    say "$3 is missing"
    missing="$missing $2"
}

stop_if_missing() {
    [ -z "$missing" ] && return
    if [ "$(uname)" = Darwin ]; then
        say "install what is missing (brew install python libomp git r), then run make again."
    else
        say "install what is missing (Debian: apt-get install$missing), then run make again."
    fi
    exit 1
}

has_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && python=$name && return 0
    done
    return 1
}

has_venv() { "$python" -c 'import venv, ensurepip' 2>/dev/null; }

has_gomp() { # scikit-learn brings its own; LightGBM takes the system's
    if [ "$(uname)" = Darwin ]; then
        [ -e /opt/homebrew/opt/libomp/lib/libomp.dylib ] || [ -e /usr/local/opt/libomp/lib/libomp.dylib ]
    else
        "$python" -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null
    fi
}

has_git() { command -v git >/dev/null; }
has_openssl() { command -v openssl >/dev/null; }
has_compiler() { command -v cc >/dev/null; }
has_r() { command -v Rscript >/dev/null; }

case ${1:-} in
test)
    need has_r r-base-core "Rscript (the tests train and serve a model in R)"
    need has_openssl openssl "openssl (the tests check a release with it alone)"
    has_compiler || apt gcc libc6-dev || say "no C compiler: the tests of what is observed by it are skipped, by name."
    ;;
demo)
    has_r || apt r-base-core || say "Rscript is missing: the demo goes on without the candidate in R and lists it under skipped."
    ;;
"") ;;
*)
    say "unknown argument $1; give none, demo or test."
    exit 2
    ;;
esac

# What the environment was made of. A clone that moved, a changed pin or a compiler that came makes it anew.
stamp=.venv/.installed
wanted="$(cat requirements/dev.lock pyproject.toml hatch_build.py fairway/pipeline/shim.c scripts/install.sh | cksum) cc=$(command -v cc || true) in $(pwd)"
if [ -z "$missing" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .venv/bin/python -I -S -c '' 2>/dev/null; then
    exit 0
fi

if ! has_python && ! { apt python3 && has_python; }; then
    found=$(python3 -V 2>/dev/null || echo "no python3")
    say "Python 3.11 or newer is missing ($found). Install it (Debian 12 or newer: apt-get install python3 python3-venv), then run make again."
    exit 1
fi
need has_venv python3-venv "$python -m venv"
need has_gomp libgomp1 "libgomp (LightGBM's threads)"
need has_git git "git"
stop_if_missing

# A half-made environment, and one of another place or Python, is made anew; a whole one is kept.
rm -f "$stamp"
if ! grep -qF "$(pwd)/.venv/bin/python" .venv/bin/pip 2>/dev/null || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --clear .venv
fi
say "installing the pinned packages into .venv (about 900 MB; minutes on a slow line)"
pip() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@" || {
        say "pip could not install; its message stands above. Mend that (a network? a package index?), then run make again."
        exit 1
    }
}
pip -r requirements/dev.lock
pip --no-deps --no-build-isolation --editable .
[ -e fairway/pipeline/shim.so ] || say "no C compiler that works: what commands other than Python read cannot be observed, so every source file of a project counts for them (Debian: apt-get install gcc libc6-dev, then make again)."
echo "$wanted" >"$stamp"
