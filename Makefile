# What CI runs, step by step. `make` alone runs the whole gate; `make quick` what one runs before each commit.
STEPS := packages gofmt vet platforms staticcheck govulncheck roots fuzz modules realworld race

.PHONY: gate quick test api apidiff bench mutate $(STEPS)

gate:
	.ci/run

quick:
	.ci/run gofmt vet
	go test ./...

$(STEPS):
	.ci/run $@

test:
	go test ./...

# The exported names as the next release has them, and what has changed for programs since the last tag.
api:
	go test ./internal/architecture -run TestAPI -update

apidiff:
	ci/apidiff.sh

bench:
	go test -run '^$$' -bench . -benchmem .
	cd bench && go test -run '^$$' -bench . -benchmem .

mutate:
	ci/mutate.sh
