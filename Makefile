# Commands of the project. Each recipe first installs the tools that it needs, with
# tools/setup.sh.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help serve demo build dev test lint fmt clippy test-rust test-build test-browser test-variants test-browsers test-network connectivity abuse bench bench-quick bench-files bench-mesh bench-mesh-quick bench-app fuzz setup setup-test setup-browsers setup-network setup-dev setup-bench setup-fuzz

export PATH := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gruppetto/tools/bin:$(CURDIR)/node_modules/.bin:$(HOME)/.cargo/bin:$(PATH)

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: build ## build the release and serve it at http://127.0.0.1:3000
	@exec target/release/gruppetto

demo: build ## serve a ride with eight simulated riders, and print its link
	@exec target/release/gruppetto demo

build: setup ## build the release: target/release/gruppetto and target/site
	@node tools/build.mjs

# A bare `cargo leptos watch` does the same.
dev: setup-dev ## serve a development build with live reload
	cargo leptos watch

test: lint test-rust test-build test-browser test-network ## formatting, clippy, all Rust tests, those of the build, the browser tests, and those on bad networks

lint: fmt clippy ## formatting and clippy without warnings, native and wasm

fmt: setup
	cargo fmt --all --check

# The features ssr and hydrate must not be enabled in the same build.
clippy: setup
	cargo clippy --workspace --all-targets --features ssr -- -D warnings
	cargo clippy --package gruppetto --package app --lib --target wasm32-unknown-unknown --no-default-features --features hydrate -- -D warnings

test-rust: setup ## all Rust tests
	cargo test --workspace --features ssr

test-build: setup ## the tests of the build script
	node --test tools/build/*.test.mjs shell/tests/*.test.mjs

test-browser: setup-test build ## the browser tests, against the release build
	cd end2end && npx tsc && npx tsc -p ../shell && npx playwright test

test-variants: setup-test build ## browser tests of further devices, faces and files
	cd end2end && npx tsc && VARIANTS=1 npx playwright test

test-browsers: setup-browsers build ## Chromium and Firefox ESR in one ride
	cd end2end && npx tsc && npx playwright test --config browsers.config.ts

test-network: setup-network build ## browser tests behind NAT and on lossy networks; skipped where the machine cannot create such networks
	cd end2end && npx playwright test --config network.config.ts

connectivity: setup-network build ## the same and each kind of router with each, on an idle machine; writes the results to docs/connectivity.md
	cd end2end && NETWORK_OUTPUT=docs/connectivity.md npx playwright test --config network.config.ts

bench: setup-bench build ## measure beside npm's peer, on an idle machine; writes docs/benchmarks.md
	cargo run --release --package bench -- --output docs/benchmarks.md

bench-quick: setup-bench build ## a short run of each measurement, printed
	cargo run --release --package bench -- --quick

bench-files: setup ## measure how fast malicious workout files are refused; writes docs/benchmarks-files.md
	cargo run --release --package bench -- --files --output docs/benchmarks-files.md

abuse: build ## attack the server, and measure what honest riders notice; writes docs/abuse.md
	cargo run --release --package bench -- --abuse --output docs/abuse.md

bench-mesh: setup-test build ## measure the riders' mesh beside PeerJS and simple-peer, on an idle machine; writes docs/benchmarks-mesh.md
	cd end2end && BENCH_OUTPUT=docs/benchmarks-mesh.md npx playwright test --config bench.config.ts

bench-mesh-quick: setup-test build ## a short run, printed
	cd end2end && BENCH_QUICK=1 npx playwright test --config bench.config.ts

bench-app: setup-test build ## measure recording, files and lists of rides in a browser, on an idle machine; writes docs/benchmarks-app.md
	cd end2end && BENCH_OUTPUT=docs/benchmarks-app.md npx playwright test --config bench_app.config.ts

fuzz: setup-fuzz ## fuzz every codec and every reader of files for a minute
	tools/fuzz.sh 60

setup:
	@tools/setup.sh build

setup-test:
	@tools/setup.sh test

setup-browsers:
	@tools/setup.sh browsers

setup-network:
	@tools/setup.sh network

setup-dev:
	@tools/setup.sh dev

setup-bench:
	@tools/setup.sh bench

setup-fuzz:
	@tools/setup.sh fuzz
