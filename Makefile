# `make` lists the targets. Nothing but Go is needed in advance, and Node.js for the dashboard's page (make ui): tools are built into .tools/, pinned to these versions, and the
# servers that tests start are installed by the system's package manager (TASKFLOW_SKIP=redis,postgres,mariadb,browser: do without).

GOLANGCI_LINT_VERSION := v2.15.0
GOVULNCHECK_VERSION   := v1.9.0
BENCHSTAT_VERSION     := v0.0.0-20260908200009-22c9c6c9d4da

GO        ?= go
PKG       ?= ./...
FUZZTIME  ?= 10s
BENCHTIME ?= 1s
COUNT     ?= 1
ROUNDS    ?= 5
KILLS     ?= 100

TOOLS         := $(CURDIR)/.tools
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
GOVULNCHECK   := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)
BENCHSTAT     := $(TOOLS)/benchstat-$(BENCHSTAT_VERSION)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: servers
servers: ## find Redis, PostgreSQL and MariaDB, or install them; tests start private ones
	@scripts/servers.sh

.PHONY: test
test: servers ## run all tests, and build the benchmarks
	$(GO) vet $(PKG)
	$(GO) test -shuffle=on -timeout=5m $(PKG)
	cd bench && $(GO) vet ./...

.PHONY: race
race: servers ## run all tests under the race detector; needs a C compiler
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout=10m $(PKG)

.PHONY: fault
fault: servers ## kill services, servers and files under load, and count (KILLS=100); each prints what it counted
	$(GO) test -count=1 -v -timeout=180m ./internal/fault -kills=$(KILLS) $(FAULTFLAGS)

.PHONY: fuzz
fuzz: ## run each fuzz test for a short while (FUZZTIME=10s)
	GO="$(GO)" scripts/fuzz.sh $(FUZZTIME)

.PHONY: cover
cover: servers ## run all tests and print what they cover; details in coverage.html
	$(GO) test -timeout=10m -coverpkg=./... -coverprofile=coverage.out ./...
	$(GO) tool cover -html=coverage.out -o coverage.html
	$(GO) tool cover -func=coverage.out | tail -n 1

.PHONY: bench
bench: ## run the benchmarks of bench/ itself (BENCHTIME=1s COUNT=1); see bench/README.md
	cd bench && $(GO) test -run='^$$' -bench=. -benchmem -benchtime=$(BENCHTIME) -count=$(COUNT) -timeout=60m .

.PHONY: bench-peers
bench-peers: servers ## durable tasks next to their peers, in turns (ROUNDS=5), and the latency of one; about half an hour
	cd bench && $(GO) test -run='^$$' -bench='SQLite|Redis|PostgreSQL' -benchtime=$(ROUNDS)x -timeout=120m ./peers
	cd bench && $(GO) test -run='^$$' -bench='AddToStart' -benchtime=2000x -timeout=10m ./peers
	cd bench && $(GO) test -run='^$$' -bench='LoneSubmit' -benchtime=50x -timeout=10m ./peers

.PHONY: bench-scale
bench-scale: servers ## 100,000 waiting tasks, and a history of a million, in every backend; about half an hour
	cd bench && $(GO) test -run='^$$' -bench='Recovery' -benchtime=$(ROUNDS)x -timeout=60m ./scale
	cd bench && $(GO) test -run='^$$' -bench='History' -benchtime=500x -timeout=60m ./scale

.PHONY: benchstat
benchstat: $(BENCHSTAT) ## compare two outputs of make bench: make benchstat OLD=a.txt NEW=b.txt
	$(BENCHSTAT) $(OLD) $(NEW)

.PHONY: ui
ui: ## build the dashboard's page from dashboard/ui into dashboard/ui/dist; needs Node.js and npm
	cd dashboard/ui && npm ci --no-audit --no-fund && npm run build

.PHONY: ui-check
ui-check: ## check the page's source and types, run its tests, and compare the committed build with a new one
	cd dashboard/ui && npm ci --no-audit --no-fund && npm run check && node build/check.mjs

.PHONY: test-ui
test-ui: ## test the dashboard's page in a browser, which is found or installed (TASKFLOW_SKIP=browser: do without); UIFLAGS go to playwright test
	GO="$(GO)" scripts/uitest.sh ui $(UIFLAGS)

.PHONY: bench-ui
bench-ui: ## measure the page in a browser: a million tasks, floods of changes, a hundred viewers; about five minutes
	GO="$(GO)" scripts/uitest.sh bench $(UIFLAGS)

.PHONY: examples
examples: ## build every program of examples/
	$(GO) build -o /dev/null ./examples/...

.PHONY: fmt
fmt: ## format all Go code
	gofmt -w $$(scripts/gofiles.sh)

.PHONY: fmt-check
fmt-check: ## fail when some Go code is not formatted
	@files=$$(gofmt -l $$(scripts/gofiles.sh)); if [ -n "$$files" ]; then echo "not formatted, run make fmt:"; echo "$$files"; exit 1; fi

.PHONY: lint
lint: $(GOLANGCI_LINT) ## run the linters of .golangci.yml
	$(GOLANGCI_LINT) run $(PKG)
	cd bench && $(GOLANGCI_LINT) run --config ../.golangci.yml ./...

.PHONY: tidy-check
tidy-check: ## fail when a go.mod or go.sum is not tidy
	$(GO) mod tidy -diff
	cd bench && $(GO) mod tidy -diff

.PHONY: vuln
vuln: $(GOVULNCHECK) ## look for known vulnerabilities; needs the network
	scripts/vuln.sh $(GOVULNCHECK)

.PHONY: tools
tools: $(GOLANGCI_LINT) $(GOVULNCHECK) $(BENCHSTAT) ## build the tools into .tools/

# A tool is built once for each version: its file carries the version in its name.
$(GOLANGCI_LINT): PACKAGE = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
$(GOVULNCHECK):   PACKAGE = golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
$(BENCHSTAT):     PACKAGE = golang.org/x/perf/cmd/benchstat@$(BENCHSTAT_VERSION)
$(GOLANGCI_LINT) $(GOVULNCHECK) $(BENCHSTAT):
	mkdir -p $(TOOLS)/build
	GOBIN=$(TOOLS)/build $(GO) install $(PACKAGE)
	mv $(TOOLS)/build/$(notdir $(firstword $(subst @, ,$(PACKAGE)))) $@
