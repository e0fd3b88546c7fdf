#!/usr/bin/env bash
# Set up if needed, then lint and run all tests (CPU only). Arguments go to pytest: bash scripts/test.sh -k prompt
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash scripts/setup.sh
export PYTHON=$PWD/.venv/bin/python PATH=$PWD/.venv/bin:$PATH

ruff check .
ruff format --check .
if [ "$#" -eq 0 ]; then
    bash scripts/test_vision_backbones.sh # in an environment of its own: they need torchvision
    bash scripts/test_servers.sh           # in another one: they need servers
    export OMP_NUM_THREADS=1              # a core for each of the processes that share the files
    set -- --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
fi
python -m pytest "$@"
