#!/usr/bin/env bash
# Makes .venv and installs uniem with its test tools and the system libraries that Qt, VTK and the tests need.
# `set-up.sh peers` makes .venv-peers instead, with the readers of other projects and a browser for them;
# `set-up.sh torch` makes .venv-torch, in which PyTorch takes the place of TensorFlow.
# Quick when nothing is missing: a stamp of the dependency list decides whether pip runs at all.
set -euo pipefail
cd "$(dirname "$0")/.."

run_time="libgl1 libegl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon-x11-0 libxcb-icccm4 libxcb-image0 \
libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xfixes0 libxcursor1"
tests="xvfb xauth libosmesa6"
browser="chromium chromium-driver"

install_system_packages() {
    command -v dpkg-query >/dev/null || {
        echo "No Debian-style package database here: install the equivalents of: $*" >&2
        return 0
    }
    local missing=()
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
            dpkg-query -W -f='${Status}' "${package}t64" 2>/dev/null | grep -q 'install ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "Some system packages are missing. Run this line, then make what you made again:" >&2
        echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.11 python3.12 python3; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null; then
            echo "$candidate"
            return 0
        fi
    done
    echo "uniem needs Python 3.11 or 3.12 with the venv module; set PYTHON=/path/to/python." >&2
    exit 1
}

# install_python_packages FOLDER LISTS ARGUMENTS...: pip installs the arguments when a list has changed.
install_python_packages() {
    local folder=$1 lists=$2 wanted
    shift 2
    # shellcheck disable=SC2086
    wanted=$(cat $lists | sha256sum)
    [ -x "$folder/bin/python" ] && [ "$(cat "$folder/installed" 2>/dev/null)" = "$wanted" ] && return 0
    [ -x "$folder/bin/python" ] || "$(find_python)" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    echo "$wanted" >"$folder/installed"
}

# Prints what setup.cfg asks for, for its tests too, without TensorFlow.
list_all_but_tensorflow() {
    "$(find_python)" - <<'END'
import configparser

config = configparser.ConfigParser()
config.read("setup.cfg")
lists = config["options"]["install_requires"], config["options.extras_require"]["test"]
print(*(line for one in lists for line in one.split("\n") if line and not line.startswith("tensorflow")), sep="\n")
END
}

# The lists of system packages are split into words on purpose.
# shellcheck disable=SC2086
if [ "${1:-}" = peers ]; then
    install_system_packages $browser
    install_python_packages .venv-peers installer/peers.txt --requirement installer/peers.txt
elif [ "${1:-}" = torch ]; then
    install_system_packages $run_time $tests
    install_python_packages .venv-torch "setup.cfg pyproject.toml installer/torch.txt" \
        --requirement installer/torch.txt --requirement <(list_all_but_tensorflow)
else
    install_system_packages $run_time $tests
    install_python_packages .venv "setup.cfg pyproject.toml" --editable '.[test,freeze,bench]'
fi
