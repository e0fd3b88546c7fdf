#!/usr/bin/env bash
# Makes an environment of its own for packages that are kept out of .venv, and prints its Python:
# extra_environment.sh FOLDER REQUIREMENTS [PACKAGE ...]
# It reads the packages of .venv (or of PYTHON) through a .pth file and adds what REQUIREMENTS names. Nothing may replace
# a package of .venv but those that are named. It is made again when the packages of either environment change.
set -euo pipefail
PYTHON="${PYTHON:-.venv/bin/python}"
folder=$1 requirements=$2
shift 2

base_packages="$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
constraints="$("$PYTHON" -c 'import sys
from importlib.metadata import distributions
found = {f"{d.name}=={d.version}" for d in distributions() if d.name and d.name.lower() not in sys.argv[1:]}
print(*sorted(found), sep="\n")' "$@")"
wanted="$base_packages"$'\n'"$constraints"$'\n'"$(cat "$requirements")"

stamp="$folder/installed.txt"
if [[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]]; then
    "$PYTHON" -m venv --clear "$folder"
    own_packages="$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
    echo "$base_packages" > "$own_packages/project_environment.pth"
    echo "$constraints" > "$folder/constraints.txt"
    "$folder/bin/python" -m pip install --quiet -r "$requirements" -c "$folder/constraints.txt" >&2
    echo "$wanted" > "$stamp"
fi
echo "$folder/bin/python"
