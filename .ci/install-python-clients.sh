# Installs the Python clients that test/services needs from PyPI into a cache folder, a virtual environment per version; an
# environment that is there already is kept. Fails without Python 3.10 or later, or when PyPI cannot be reached.
set -u
folder="${TARGON_TEST_PYTHON_CLIENTS:?}"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || exit 1
mkdir -p "$folder" || exit 1

make_venv() { # name, package…: complete or absent
  local name="$1"; shift
  [ -x "$folder/$name/bin/python" ] && return 0
  # A fixed path: programs of a virtual environment name it in their first line.
  rm -rf "$folder/$name"
  python3 -m venv "$folder/$name" &&
    nice -n 10 "$folder/$name/bin/python" -m pip install -q --disable-pip-version-check "$@" >/dev/null 2>&1 && return 0
  rm -rf "${folder:?}/$name"
  return 1
}

make_venv 11.3.0 bittensor==11.3.0 && make_venv 10.5.0 bittensor==10.5.0 && make_venv btcli-9 bittensor-cli==9.23.2
