# What the install scripts share; sourced, not run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
peers=$root/target/peers
mkdir -p "$peers"

as_root() { if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi; }

# apt_install PACKAGE…: installs what is missing, and starts none of it.
apt_install() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [[ ${#missing[@]} == 0 ]] && return
    apt-cache show "${missing[@]}" >/dev/null 2>&1 || as_root apt-get update -qq -o DPkg::Lock::Timeout=300
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}" >/dev/null
}

# venv NAME REQUIREMENT…: a Python environment target/peers/NAME with exactly these packages.
venv() {
    local dir=$peers/$1 wanted="${*:2}"
    [[ -f $dir/stamp && $(<"$dir/stamp") == "$wanted" ]] && return
    apt_install python3-venv
    rm -rf "$dir"
    /usr/bin/python3 -m venv "$dir"
    "$dir/bin/pip" install --quiet --disable-pip-version-check "${@:2}"
    echo "$wanted" >"$dir/stamp"
}
