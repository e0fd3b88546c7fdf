#!/usr/bin/env bash
# Parity tests of the optional vision backbones, in an environment of their own beside the project's.
# torchvision breaks transformers' imports beside a CPU-only torch, so the project's environment never gets it.
# Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
python="$(bash scripts/extra_environment.sh "${VISION_ENV:-.venv-vision}" \
    "${REQUIREMENTS:-scripts/requirements-vision.txt}")"

# a conftest.py of the ordinary tests might import transformers before torchvision can be imported
exec "$python" -m pytest -q -o addopts= --confcutdir=tests/vision_backbones tests/vision_backbones "$@"
