#!/bin/sh
# Brings .venv to the state of the lock file named, every download checked against its hash.
#   requirements/install.sh sync|add LOCK
# sync also removes what the lock does not name; add leaves it. The certificates are the system's, as pip's are.
# What uv cannot fetch (it does not read pip's configuration, mirrors for example) pip fetches, slower, under the
# same hashes.
set -eu

mode=$1 lock=$2
uv=.venv/uv/bin/uv
python=.venv/bin/python

case $mode in
sync) set -- pip sync ;;
add) set -- pip install -r ;;
*) echo "install.sh: sync or add, not $mode" >&2; exit 2 ;;
esac

# What is installed or in the cache already wants no network.
"$uv" "$@" "$lock" --quiet --require-hashes --offline --python "$python" 2>/dev/null && exit
"$uv" "$@" "$lock" --quiet --require-hashes --system-certs --python "$python" && exit

echo "uv could not install $lock; trying with pip" >&2
exec "${PYTHON:-python3}" -m pip --python "$python" install --quiet --require-hashes --no-deps \
    --disable-pip-version-check -r "$lock"
