#!/usr/bin/env bash
# Make .venv and install requirements.txt into it; does nothing when that is done already.
# PYTHON names the interpreter to build on (3.10 to 3.13).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

stamp=.venv/.installed
wanted=$(cksum <requirements.txt)
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

supported='import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))'
base=
candidates=${PYTHON:-python3 python3.12 python3.11 python3.13 python3.10}
for candidate in $candidates; do
    if "$candidate" -c "$supported" 2>/dev/null; then
        base=$candidate
        break
    fi
done
if [ -z "$base" ]; then
    echo "setup: expected Python 3.10 to 3.13 on the PATH or named by PYTHON, got none among: $candidates" >&2
    exit 1
fi

echo "setting up .venv with $("$base" --version); torch is large, this takes minutes"
[ -x .venv/bin/python ] || "$base" -m venv .venv
.venv/bin/python -m pip install --disable-pip-version-check --quiet --requirement requirements.txt
echo "$wanted" >"$stamp"
