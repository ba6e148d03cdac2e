# Installs helm and kubeconform from the Go module proxy, the Kubernetes schemas from PyPI, and a reader of ServiceMonitor, into a
# cache folder for test/services/helm.test.ts. What is complete is kept; otherwise `problem` says why.
set -u
folder="${TARGON_TEST_HELM_TOOLS:?}"
here="$(cd "$(dirname "$0")" && pwd)"
wanted='helm v3.22.0, kubeconform v0.8.0, kubernetes-validate 1.37.0, prometheus-operator v0.95.2'
mkdir -p "$folder/bin" || exit 1
rm -f "$folder/problem"
[ "$(cat "$folder/complete" 2>/dev/null)" = "$wanted" ] && exit 0
rm -f "$folder/complete"
echo 'the installation did not end in time' >"$folder/problem"

go_install() { GOTOOLCHAIN=local GOFLAGS=-modcacherw GOBIN="$folder/bin" nice -n 10 go install -ldflags='-s -w' "$1"; }

# The strict ones of one version. Each refers to one file of definitions, which kubeconform does not find on disk, so every
# definition that a schema needs is put into it.
schemas() {
  local download; download="$(mktemp -d)"
  python3 -m pip download -q --no-deps --disable-pip-version-check -d "$download" kubernetes-validate==1.37.0 &&
    python3 - "$download" "$folder/schemas" <<'PYTHON'
import glob, json, os, re, sys, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0])
target = sys.argv[2]
os.makedirs(target, exist_ok=True)
texts = {os.path.basename(name): wheel.read(name).decode() for name in wheel.namelist()
         if '/v1.34.0-local-strict/' in name and name.endswith('.json')}
definitions = json.loads(texts.pop('_definitions.json'))['$defs']
def names(value):
    return set(re.findall(r'#/\$defs/([^"]+)"', json.dumps(value)))
for name, text in texts.items():
    schema = json.loads(text)
    if 'apiVersion' not in schema.get('properties', {}):
        continue
    found, queue = {}, list(names(schema))
    while queue:
        one = queue.pop()
        if one not in found:
            found[one] = definitions[one]
            queue.extend(names(definitions[one]))
    schema['$defs'] = found
    schema.pop('$id', None)
    with open(os.path.join(target, name), 'w') as out:
        out.write(re.sub(r'"[^" ]*_definitions\.json#', '"#', json.dumps(schema)))
PYTHON
  local status=$?
  rm -rf "$download"
  return $status
}

service_monitor() {
  local module; module="$(mktemp -d)"
  cp "$here/service-monitor/main.go" "$module" &&
    (cd "$module" && export GOTOOLCHAIN=local GOFLAGS=-modcacherw && go mod init service-monitor &&
      go get github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring@v0.95.2 &&
      go mod tidy && nice -n 10 go build -o "$folder/bin/service-monitor" .)
  local status=$?
  rm -rf "$module"
  return $status
}

attempt() { # what, command…: the last message becomes the reason
  local what="$1" output; shift
  output="$("$@" 2>&1)" && return 0
  echo "$what could not be installed: $(tail -1 <<<"${output:-no message}")" >"$folder/problem"
  return 1
}

command -v go >/dev/null || { echo 'Go is not installed' >"$folder/problem"; exit 1; }
attempt kubeconform go_install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0 &&
  attempt 'the schemas' schemas &&
  attempt 'the reader of ServiceMonitor' service_monitor &&
  attempt helm go_install helm.sh/helm/v3/cmd/helm@v3.22.0 &&
  echo "$wanted" >"$folder/complete" && rm "$folder/problem"
