#!/usr/bin/env bash
# Tests that need torchvision, in an environment of their own beside the project's: parity of the optional vision
# backbones, and of the inputs of local models with those of the processors for videos.
# torchvision breaks transformers' imports beside a CPU-only torch, so the project's environment never gets it.
# Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/extra_environment.sh

PYTHON="${PYTHON:-.venv/bin/python}"
VISION_ENV="${VISION_ENV:-.venv-vision}"
extra_environment "$VISION_ENV" "${REQUIREMENTS:-scripts/requirements-vision.txt}"

# a conftest.py of the ordinary tests might import transformers before torchvision can be imported
exec "$VISION_ENV/bin/python" -m pytest -q -o addopts= --confcutdir=tests/vision_backbones tests/vision_backbones "$@"
