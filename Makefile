# `make` lists the targets. Each does all of its own set-up and says what it does.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SOURCES := $(shell find src sdk/typescript/src -type f 2>/dev/null) package.json tsconfig.json tools/build.mjs
STRIPE_MOCK := .cache/bin/stripe-mock
STRIPE_MOCK_VERSION := v0.203.0

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

node_modules/.installed: package.json package-lock.json sdk/typescript/package.json
	@node -e 'const [a, b] = process.versions.node.split("."); if (a < 20 || (a == 20 && b < 18)) { console.error("Node " + process.versions.node + " is too old: install Node 20.18.1 or later"); process.exit(1) }'
	@echo '==> installing npm packages'
	@# not `npm ci`: the lock file names only what a registry mirror for this platform carries, which `ci` takes for an error
	npm install --no-save --no-fund --no-audit --loglevel=error
	@touch $@

dist/.built: node_modules/.installed $(SOURCES)
	@echo '==> building dist/'
	node tools/build.mjs
	@touch $@

.PHONY: build
build: dist/.built ## install and build, so that `npx countersign` works in the checkout

.PHONY: demo
demo: build ## start the gateway on the embedded default with the sandbox provider, and play a tour of real calls
	@node tools/demo/tour.mjs

$(STRIPE_MOCK):
	@echo '==> building stripe-mock $(STRIPE_MOCK_VERSION) from its Go module'
	@command -v go >/dev/null || { echo 'Go is missing: install Go 1.26 or later to run the tests against stripe-mock'; exit 1; }
	GOBIN=$(CURDIR)/.cache/bin go install github.com/stripe/stripe-mock@$(STRIPE_MOCK_VERSION)

.PHONY: services
services: node_modules/.installed $(STRIPE_MOCK) ## install what the tests run against: PostgreSQL, Redis, stripe-mock
	@bash test/services/install.sh

.PHONY: test
test: build services ## run every test, against real PostgreSQL, Redis, Stripe's SDK and stripe-mock
	@npx vitest run

.PHONY: check
check: build ## format, lint, types, import map, dead code, schemas, policy; rebuilds what is generated and compares
	npx biome ci .
	npx tsc --noEmit -p tsconfig.test.json
	npx knip --exclude types
	npx tsx tools/check/import-map.ts
	npx tsx tools/check/generated.ts
	npx countersign policy build --dir rego
	bash tools/opa-wasi/verify.sh

.PHONY: bench
bench: build services ## print the benchmark tables, side by side with peers in one run
	@bash bench/install.sh
	@npx tsx bench/run.ts

.PHONY: clean
clean: ## remove what was built
	rm -rf dist sdk/typescript/dist .cache
