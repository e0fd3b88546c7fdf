#!/usr/bin/env bash
# Tests that read work lists with the tools that they are for, in an environment of their own. scripts/test.sh leaves
# them out, as the tools are large. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/extra_environment.sh

PYTHON="${PYTHON:-.venv/bin/python}"
TOOLS_ENV="${TOOLS_ENV:-.venv-tools}"
extra_environment "$TOOLS_ENV" scripts/requirements-tools.txt numpy opencv-python-headless pillow
exec "$TOOLS_ENV/bin/python" -m pytest -rs tests/test_worklist_tools.py "$@"
