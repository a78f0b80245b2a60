# devstack. `make up` runs the stack in this folder, `make test` proves it all; `make help` lists the rest.

BINARY  := bin/devstack
FUZZTIME ?= 10s
SOAK ?= 30m

# Packages whose tests run under the race detector: where goroutines meet.
RACED := ./runtime/... ./emulators/store/... ./emulators/dynamodb ./emulators/lambda/... ./emulators/stepfunctions/... ./internal/...

.PHONY: help up build test check lint bench soak fuzz generate
.DEFAULT_GOAL := build

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

up: build ## build devstack and run the stack in this folder
	$(BINARY) up

build: ## build the static binary bin/devstack
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o $(BINARY) ./cmd/devstack

test: ## run all tests, with the tools that they need installed first where that is possible
	@testdata/prepare.sh $(MAKE) --no-print-directory check

check: ## run all tests with the tools that are there
	go test -race -timeout 15m $(RACED)
	go test -timeout 15m $(filter-out $(shell go list $(RACED)) devstack/cmd/devstack,$(shell go list ./...))
	cd cmd/devstack && go test -count=1 -timeout 15m

lint: ## gofmt, go vet, staticcheck, and the imports that the architecture allows
	@out=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); [ -z "$$out" ] || { echo "gofmt these:"; echo "$$out"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go test -count=1 -run '^TestImports$$' ./cmd/devstack

bench: ## print the benchmarks of the packages, then what devstack promises, beside what the machine can do
	go test -run '^$$' -bench . -benchmem $(sort $(dir $(shell grep -rl --include='*_test.go' '^func Benchmark' cmd emulators internal runtime | sed 's|^|./|')))
	go run ./testdata/bench

soak: ## reload functions under load for SOAK (30m), and see what the daemon holds at the end
	go run ./testdata/bench -run soak -soak $(SOAK)

fuzz: ## run every fuzz target for FUZZTIME (10s) in turn
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

generate: ## write the generated code anew from AWS's published models: make generate MODELS=folder
	@[ -d "$(MODELS)" ] || { echo "make generate MODELS=folder: the folder of AWS's Smithy models, with botocore's beside it in folder-botocore"; exit 2; }
	MODELS=$(abspath $(MODELS)) go generate ./...
