#!/usr/bin/env bash
# Make .venv, install requirements.txt into it, and let its Python find this repository from any folder. What is done
# already is not done again. PYTHON names the interpreter to build on (3.10 to 3.13).
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."

# A .pth file in site-packages adds the folder that it names to Python's search path. A repository that was moved is
# named again.
add_to_search_path() {
    local file
    file=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/mq_auditor.pth
    if [ "$(cat "$file" 2>/dev/null)" != "$PWD" ]; then
        echo "$PWD" >"$file"
    fi
}

stamp=.venv/.installed
wanted=$(cksum <requirements.txt)
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    add_to_search_path
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
.venv/bin/python -m pip --version >/dev/null 2>&1 || "$base" -m venv .venv # also one whose making was cut off
.venv/bin/python -m pip install --disable-pip-version-check --quiet --requirement requirements.txt
echo "$wanted" >"$stamp"
add_to_search_path
