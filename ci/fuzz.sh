#!/usr/bin/env bash
# fuzz.sh MINUTES | SECONDSs: runs every fuzz target of the tree, nested modules included; minutes are divided among them, "5s" is for each.
# What is found is kept in the testdata of the package, and is a test from then on.
set -euo pipefail
cd "$(dirname "$0")/.."
time="${1:?how many minutes, or how many seconds for each target (5s)}"
targets=$(git grep -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | sed 's|^|./|; s|/[^/]*:func | |' | sort -u)
count=$(wc -l <<<"$targets")
case $time in
*s) each="${time%s}" ;;
*) each=$((time * 60 / count)) ;;
esac
[ "$each" -gt 0 ] || each=1
echo "$count targets, $each seconds each"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
fuzz() { (cd "$1" && go test -run '^$' -fuzz "^$2\$" -fuzztime "${each}s" -fuzzminimizetime 2s . >"$out" 2>&1); }
# The go command may end with "context deadline exceeded", and without an input, where the time is up while a worker is busy.
# That says nothing of the target, so it has another try.
timed_out() { grep -q 'context deadline exceeded' "$out" && ! grep -q 'Failing input' "$out"; }
failed=0
while read -r pkg target; do
  echo "$pkg $target"
  fuzz "$pkg" "$target" || { timed_out && fuzz "$pkg" "$target"; } || { cat "$out"; failed=1; }
done <<<"$targets"
exit $failed
