# Sourced by scripts that test with more packages than requirements.txt names. Gives them:
#   extra_environment FOLDER REQUIREMENTS [PACKAGE ...]
# makes an environment in FOLDER that reads the packages of PYTHON's one through a .pth file and adds those that the file
# REQUIREMENTS names. It is made again when the packages of either change. The installed versions are constraints:
# nothing may replace torch, and no other package but those that are named.
extra_environment() {
    local base_packages constraints wanted stamp=$1/installed.txt packages
    base_packages="$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
    constraints="$("$PYTHON" -c 'import sys
from importlib.metadata import distributions
kept = (d for d in distributions() if d.name and d.name.lower() not in sys.argv[1:])
print(*sorted({f"{d.name}=={d.version}" for d in kept}), sep="\n")' "${@:3}")"
    wanted="$base_packages"$'\n'"$constraints"$'\n'"$(cat "$2")"
    if [[ "$(cat "$stamp" 2>/dev/null)" == "$wanted" ]]; then
        return 0
    fi
    "$PYTHON" -m venv --clear "$1" || return 1
    packages="$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
    echo "$base_packages" >"$packages/project_environment.pth"
    echo "$constraints" >"$1/constraints.txt"
    "$1/bin/python" -m pip install --quiet -r "$2" -c "$1/constraints.txt" || return 1
    echo "$wanted" >"$stamp"
}
