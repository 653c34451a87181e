#!/usr/bin/env bash
# mutate.sh [LINE | PART OF A FILE'S NAME OR OF A TEST'S]…: breaks the security rules one by one
# (ci/mutations.txt) and reports what no test has noticed, and what no longer applies. The tree is
# not touched. It takes most of an hour on two cores and is not part of the gate.
set -euo pipefail
cd "$(dirname "$0")/.."
exec go run ci/mutate.go "$@"
