#!/usr/bin/env bash
# Tests that read work lists with the tools that they are for, in an environment of their own. Not part of test.sh.
# Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
python="$(bash scripts/extra_environment.sh .venv-tools scripts/requirements-tools.txt numpy opencv-python-headless pillow)"
exec "$python" -m pytest -rs tests/test_worklist_tools.py "$@"
