#!/usr/bin/env bash
# Tests of the page of scripts.demo in a real browser, in an environment of their own: Gradio needs an older Pillow.
# Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
python="$(bash scripts/extra_environment.sh .venv-demo scripts/requirements-demo.txt pillow)"
exec "$python" -m pytest -rs tests/test_demo_page.py "$@"
