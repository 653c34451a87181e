#!/usr/bin/env bash
# fuzz.sh MINUTES | SECONDSs: runs every fuzz target of the module; minutes are divided among them, "5s" is for each.
# What is found is kept in the testdata of the package, and is a test from then on.
set -euo pipefail
cd "$(dirname "$0")/.."
time="${1:?how many minutes, or how many seconds for each target (5s)}"
targets=$(go list -f '{{.ImportPath}} {{.Dir}}' ./... | while read -r pkg dir; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go 2>/dev/null | sed "s|^func |$pkg |" || true
done | sort -u)
count=$(wc -l <<<"$targets")
case $time in
*s) each="${time%s}" ;;
*) each=$((time * 60 / count)) ;;
esac
[ "$each" -gt 0 ] || each=1
echo "$count targets, $each seconds each"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
fuzz() { go test -run '^$' -fuzz "^$2\$" -fuzztime "${each}s" -fuzzminimizetime 2s "$1" >"$out" 2>&1; }
# The go command may end with "context deadline exceeded", and without an input, where the time is up while a worker is busy.
# That says nothing of the target, so it has another try.
timed_out() { grep -q 'context deadline exceeded' "$out" && ! grep -q 'Failing input' "$out"; }
failed=0
while read -r pkg target; do
  echo "$pkg $target"
  fuzz "$pkg" "$target" || { timed_out && fuzz "$pkg" "$target"; } || { cat "$out"; failed=1; }
done <<<"$targets"
exit $failed
