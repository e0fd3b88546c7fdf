#!/usr/bin/env bash
# Tests of other auditors behind real servers on this machine, in an environment of their own. Where the servers'
# packages do not install, the tests are named as not run. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/extra_environment.sh

PYTHON="${PYTHON:-.venv/bin/python}"
SERVER_ENV="${SERVER_ENV:-.venv-servers}"
if ! extra_environment "$SERVER_ENV" scripts/requirements-servers.txt; then
    echo "NOT RUN: tests/real_servers (llama.cpp, transformers serve): scripts/requirements-servers.txt did not install" >&2
    exit 0
fi
exec "$SERVER_ENV/bin/python" -m pytest -q -o addopts= tests/real_servers "$@"
