#!/usr/bin/env bash
# Tests of the page of scripts.demo in a real browser, in an environment of their own: Gradio needs an older Pillow.
# Where Gradio does not install, the tests are named as not run. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/extra_environment.sh

PYTHON="${PYTHON:-.venv/bin/python}"
DEMO_ENV="${DEMO_ENV:-.venv-demo}"
if ! extra_environment "$DEMO_ENV" scripts/requirements-demo.txt pillow; then
    echo "NOT RUN: tests/test_demo_page.py: scripts/requirements-demo.txt did not install" >&2
    exit 0
fi
exec "$DEMO_ENV/bin/python" -m pytest -rs tests/test_demo_page.py "$@"
