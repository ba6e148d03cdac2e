# Installs the Python clients that test/services needs from PyPI into a cache folder, a virtual environment per version. One
# that is complete already is kept. For one that is missing, NAME.problem says why, and the suite shows the text.
set -u
folder="${TARGON_TEST_PYTHON_CLIENTS:?}"
mkdir -p "$folder" || exit 1

names=(8.5.1 10.5.0 11.3.0 openai)
requirements_of() {
  case "$1" in
    8.5.1) echo 'bittensor==8.5.1 bittensor-cli<9 async-substrate-interface<1.1 bittensor-wallet<4' ;;
    10.5.0) echo 'bittensor==10.5.0 bittensor-cli==9.23.2' ;;
    11.3.0) echo 'bittensor==11.3.0' ;;
    openai) echo 'openai==3.57.0' ;;
  esac
}

# The marker is written last and names what was asked for, so that a half-made or outdated environment is made again.
is_complete() { [ "$(cat "$folder/$1/complete" 2>/dev/null)" = "$(requirements_of "$1")" ]; }

find_uv() { # installs far faster than pip; sets `uv`
  uv="$(command -v uv)" && return 0
  uv="$folder/uv/bin/uv"
  [ -x "$uv" ] && return 0
  # Not every Python has pip, and Debian's has no venv without another package.
  python3 -m pip install -q --disable-pip-version-check --target "$folder/uv" uv && return 0
  python3 -m venv "$folder/uv" && "$folder/uv/bin/python" -m pip install -q --disable-pip-version-check uv
}

make_venv() {
  local requirements; read -ra requirements <<<"$(requirements_of "$1")"
  # A fixed path: programs of a virtual environment name it in their first line.
  rm -rf "${folder:?}/$1"
  "$uv" venv -q --no-config --python "$(command -v python3)" "$folder/$1" &&
    nice -n 10 "$uv" pip install -q --no-config --python "$folder/$1/bin/python" "${requirements[@]}" &&
    requirements_of "$1" >"$folder/$1/complete"
}

# A command's last message, or the given text, becomes the reason.
attempt() { # name of the environment, text, command…
  local name="$1" text="$2" output; shift 2
  output="$("$@" 2>&1)" && return 0
  echo "${text}: $(tail -1 <<<"${output:-no message}")" >"$folder/$name.problem"
  return 1
}

missing=()
for name in "${names[@]}"; do
  rm -f "$folder/$name.problem"
  is_complete "$name" || missing+=("$name")
done
[ ${#missing[@]} -eq 0 ] && exit 0
for name in "${missing[@]}"; do echo 'the installation did not end in time' >"$folder/$name.problem"; done

prepare() {
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed")' && find_uv
}
reason="$(prepare 2>&1 >/dev/null)" || {
  for name in "${missing[@]}"; do echo "the preparation failed: $(tail -1 <<<"$reason")" >"$folder/$name.problem"; done
  exit 1
}
find_uv
for name in "${missing[@]}"; do
  { attempt "$name" 'the installation failed' make_venv "$name" && rm -f "$folder/$name.problem"; } &
done
wait
for name in "${names[@]}"; do is_complete "$name" || exit 1; done
