#!/usr/bin/env bash
# Parity tests of the optional vision backbones, in an environment of their own beside the project's.
# torchvision breaks transformers' imports beside a CPU-only torch, so the project's environment never gets it:
# the second one reads the first one's packages through a .pth file and adds what requirements-vision.txt names.
# Arguments go to pytest. The environment is made again when the packages of either environment change.
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON="${PYTHON:-.venv/bin/python}"
VISION_ENV="${VISION_ENV:-.venv-vision}"
REQUIREMENTS="${REQUIREMENTS:-scripts/requirements-vision.txt}"

base_packages="$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
# the installed versions are constraints: nothing may replace torch
constraints="$("$PYTHON" -c 'from importlib.metadata import distributions
print(*sorted({f"{d.name}=={d.version}" for d in distributions() if d.name}), sep="\n")')"
wanted="$base_packages"$'\n'"$constraints"$'\n'"$(cat "$REQUIREMENTS")"

stamp="$VISION_ENV/installed.txt"
if [[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]]; then
    "$PYTHON" -m venv --clear "$VISION_ENV"
    vision_packages="$("$VISION_ENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
    echo "$base_packages" > "$vision_packages/project_environment.pth"
    echo "$constraints" > "$VISION_ENV/constraints.txt"
    "$VISION_ENV/bin/python" -m pip install --quiet -r "$REQUIREMENTS" -c "$VISION_ENV/constraints.txt"
    echo "$wanted" > "$stamp"
fi

# a conftest.py of the ordinary tests might import transformers before torchvision can be imported
exec "$VISION_ENV/bin/python" -m pytest -q -o addopts= --confcutdir=tests/vision_backbones tests/vision_backbones "$@"
