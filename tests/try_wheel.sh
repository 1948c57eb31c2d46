#!/usr/bin/env bash
# Installs a wheel on a version of Python, with the newest libraries unless constraints say otherwise, and tries a
# sample of it. UV: uv in place of pip.
# usage: try_wheel.sh 3.12 FILE.whl [CONSTRAINTS.txt]
set -euo pipefail
wheel=$(realpath "$2")
constraints=(${3:+--constraint "$(realpath "$3")"})
python=$(command -v "$HOME"/.pyenv/versions/"$1".*/bin/python "python$1" | head -n 1) || true
if [ -z "$python" ] || ! "$python" --version >/dev/null 2>&1; then
    echo "Python $1 is not here: not tried"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$python" -m venv clean
install=(clean/bin/python -m pip install --quiet --no-compile)
[ -z "${UV:-}" ] || install=("$UV" pip install --quiet --python clean/bin/python)
"${install[@]}" "${constraints[@]}" "$wheel"
clean/bin/dse --version
clean/bin/dse optimize --memory sot --capacity 16KB --access normal --format json > result.json
clean/bin/dse optimize --memory sot --capacity 16KB --access normal --method nsga2 --n-trials 50 --output run >/dev/null
clean/bin/dse verify run
clean/bin/dse problem list >/dev/null
clean/bin/python -c "
import json, sys, numpy, pandas
[found] = json.load(open('result.json'))
assert found['certificate'].startswith('proven'), found
print('Python', sys.version.split()[0], 'NumPy', numpy.__version__, 'pandas', pandas.__version__, 'edap', found['value'])
"
