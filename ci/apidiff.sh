#!/usr/bin/env bash
# apidiff.sh [TAG]: what has changed for programs since a tag, by default the last one: golang.org/x/exp/cmd/apidiff over
# the public packages. It fails where a change is incompatible. Without a tag there is nothing to compare with; what each
# release exported is also in api/, and a test of internal/architecture holds the code to that.
set -euo pipefail
cd "$(dirname "$0")/.."
APIDIFF=golang.org/x/exp/cmd/apidiff@v0.0.0-20261113113407-e3970619a1a4
tag="${1:-$(git describe --tags --abbrev=0 2>/dev/null || true)}"
[ -n "$tag" ] || { echo "there is no tag to compare with"; exit 0; }
scratch=$(mktemp -d)
trap 'git worktree remove --force "$scratch/old" 2>/dev/null; rm -rf "$scratch"' EXIT
git worktree add -q --detach "$scratch/old" "$tag"
GOBIN="$scratch" go install "$APIDIFF"
status=0
for package in "" /adapters /toolbelt; do
  path=$(go list -m)$package
  (cd "$scratch/old" && "$scratch/apidiff" -w "$scratch/export" "$path")
  echo "== $path since $tag"
  "$scratch/apidiff" "$scratch/export" "$path"
  [ -z "$("$scratch/apidiff" -incompatible "$scratch/export" "$path")" ] || status=1
done
exit $status
