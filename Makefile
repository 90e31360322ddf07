# What one does with this tree. Every target installs what is missing, or says in one line what to install.

.DEFAULT_GOAL := help
.PHONY: help run demo test soak fuzz bench bench-live check web model setup

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup model ## the whole system on http://localhost:8080, built optimised
	@scripts/setup web && scripts/web build || echo "run: going on without the pages; / tells how to build them"
	cargo build --release
	exec target/release/emergency-time serve

demo: setup model ## run, with three simulated broadcasts and three cameras in Korea
	@scripts/setup demo
	@scripts/setup web && scripts/web build || echo "demo: going on without the pages; / tells how to build them"
	cargo build --release
	scripts/demo

test: setup model ## every test, on PostgreSQL and RabbitMQ at their usual ports or its own
	@scripts/setup test web
	@scripts/fetch-face-model yunet
	scripts/web build
	scripts/services scripts/test
	scripts/web test

soak: setup model ## the fault tests, in SOAK_ROUNDS rounds (20)
	@scripts/setup test
	SOAK_ROUNDS=$${SOAK_ROUNDS:-20} scripts/services scripts/test soak

fuzz: setup model ## FUZZ_SECONDS (300) of looking for a segment that breaks the redaction
	@scripts/setup demo
	scripts/fuzz $${FUZZ_SECONDS:-300}

bench: setup model ## what blurring costs, against a plain transcode; BENCH="CLIP... --peer PATH" says more
	@scripts/setup test
	@scripts/fetch-face-model yunet
	cargo run --release -p bench -- $(BENCH)

bench-live: setup model ## how soon a broadcast is watched and replayed, what taking it costs; BENCH="--runs 3 start delay"
	@scripts/setup test web
	scripts/web build
	cargo build --release -p emergency-time
	cargo run --release -p bench-live -- $(BENCH)

check: setup ## formatting, lints, web pages, stray addresses
	@scripts/setup web
	scripts/check-tree
	cargo fmt --all --check
	scripts/web check
	cargo clippy --workspace --all-targets -- -D warnings

web: ## the web pages, into web/dist
	@scripts/setup web
	scripts/web build

model: setup ## the face model, into models/
	@scripts/fetch-face-model

setup: ## what the build needs of this machine
	@scripts/setup run
