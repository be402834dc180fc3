#!/bin/sh
# Make the virtual environment of this clone, and see to what the wheels need from the system.
#   scripts/install.sh                 python3 >= 3.11 with venv, libgomp; then .venv from the pins
#   scripts/install.sh --r wanted      also R, where it can be had; says so where it cannot
#   scripts/install.sh --r required    also R, or stop
# Installs system packages by apt where it may (root, or sudo without a password).
# Otherwise it names what is missing and stops.
set -eu
cd "$(dirname "$0")/.."

say() { echo "install: $*" >&2; }

apt() { # apt PACKAGE...: install, or fail when this user or system cannot
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then as=""; elif sudo -n true 2>/dev/null; then as="sudo -n"; else return 1; fi
    say "installing $* by apt"
    $as apt-get update -qq >/dev/null 2>&1 || true
    $as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null 2>&1
}

need() { # need WHAT PACKAGE: after a check has failed
    apt "$2" || { say "$1 is missing. Install it (Debian: apt-get install $2), then run make again."; exit 1; }
}

has_gomp() {
    (ldconfig -p 2>/dev/null || /sbin/ldconfig -p 2>/dev/null) | grep -q 'libgomp\.so\.1' && return 0
    [ "$(uname)" = Darwin ]
}

if [ "${1:-}" = "--r" ]; then
    command -v Rscript >/dev/null && exit 0
    apt r-base-core && exit 0
    if [ "$2" = required ]; then
        say "Rscript is missing, and the tests train and serve a model in R. Install it (Debian: apt-get install r-base-core)."
        exit 1
    fi
    say "Rscript is missing: the demo goes on without the candidate in R and lists it under skipped."
    exit 0
fi

command -v python3 >/dev/null || need "python3" python3
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "python3 is $(python3 -V 2>&1 | cut -d' ' -f2); Fairway needs 3.11 or newer."
    exit 1
}
python3 -c 'import venv, ensurepip' 2>/dev/null || need "python3 -m venv" python3-venv
has_gomp || need "libgomp (LightGBM's threads)" libgomp1
command -v git >/dev/null || need "git" git
command -v cc >/dev/null || say "no C compiler: reads of commands other than Python cannot be observed, so every source file of a project counts for them."

stamp=.venv/.installed
wanted=$(cat requirements/dev.lock pyproject.toml hatch_build.py fairway/pipeline/shim.c | cksum; command -v cc || true)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0
[ -x .venv/bin/python ] || python3 -m venv .venv
say "installing the pinned packages into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
echo "$wanted" >"$stamp"
