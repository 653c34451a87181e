#!/usr/bin/env bash
# mutate.sh [PART OF A FILE'S NAME]: breaks the security rules one by one in a copy of the tree
# (ci/mutations.txt) and reports what no test has noticed, and what no longer applies. It takes some
# minutes and is not part of the gate.
set -euo pipefail
cd "$(dirname "$0")/.."
ONLY="${1:-}" exec go run ci/mutate.go
