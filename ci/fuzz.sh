#!/usr/bin/env bash
# fuzz.sh MINUTES: runs every fuzz target of the module, dividing the time among them.
# What is found is kept in the testdata of the package, and is a test from then on.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes="${1:?how many minutes}"
targets=$(go list -f '{{.ImportPath}} {{.Dir}}' ./... | while read -r pkg dir; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go 2>/dev/null | sed "s|^func |$pkg |" || true
done | sort -u)
count=$(wc -l <<<"$targets")
each=$((minutes * 60 / count))
[ "$each" -gt 0 ] || each=1
echo "$count targets, $each seconds each"
failed=0
while read -r pkg target; do
  echo "$pkg $target"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "${each}s" "$pkg" >/tmp/fuzz.$$ 2>&1 || { cat /tmp/fuzz.$$; failed=1; }
done <<<"$targets"
rm -f /tmp/fuzz.$$
exit $failed
