# Checks that older Node majors are refused, and runs the core unit tests on newer Node majors, whose binaries come from the npm package `node`. Encrypted hotkeys are
# excluded: their key derivation is slow by design and runs as WebAssembly on every Node.
refused() { # node, script: must end with status 78 and one sentence
  local words status
  words="$("$1" "$2" --version 2>&1)"; status=$?
  echo "$words"
  [ "$status" = 78 ] && [ "$(wc -l <<<"$words")" = 1 ] && grep -q 'needs Node.js' <<<"$words"
}
for major in 12 18; do
  node_dir="$(mktemp -d)"
  if npm install --silent --no-fund --no-audit --prefix "$node_dir" "node@$major" >/dev/null 2>&1; then
    for script in bin/run.js deploy/launcher.mjs; do
      step "node $major: $script is refused" refused "$node_dir/node_modules/.bin/node" "$script"
    done
  else
    echo "── node $major: skipped, the binary could not be installed"
  fi
  rm -rf "$node_dir"
done
for major in 22 24; do
  node_dir="$(mktemp -d)"
  if npm install --silent --no-fund --no-audit --prefix "$node_dir" "node@$major" >/dev/null 2>&1 &&
    "$node_dir/node_modules/.bin/node" --version 2>/dev/null | grep -q "^v$major"; then
    step "node $major: smoke" "$node_dir/node_modules/.bin/node" bin/run.js --version
    step "node $major: core suites" "$node_dir/node_modules/.bin/node" node_modules/vitest/vitest.mjs run --project 'unit:*' \
      --reporter=default --reporter=json --outputFile.json="$reports/node-$major.json" \
      test/kernel test/epistula test/wallet test/config test/scoring test/inference \
      --exclude test/wallet/encryption.test.ts
  else
    echo "── node $major: skipped, the binary could not be installed"
  fi
  rm -rf "$node_dir"
done
