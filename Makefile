# SPDX-License-Identifier: Apache-2.0
# The menu. Meson does the work; each target installs what it needs first (tools/deps.sh).
BUILD ?= build
SEEDS ?= 20000
FIRST ?= 1
FUZZ_SECONDS ?= 60
N ?= 100000
SEED ?= 1
SOAK_MINUTES ?= 10
export BUILD

.DEFAULT_GOAL := build/davit
.PHONY: help build/davit deps demo test unit system lint tidy format sim mutants fuzz malformed bench bench-gateway bench-judge soak docs install clean

help: ## what there is
	@awk -F':.*## ' '/^[a-z\/-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install what the build and the tests need (apt, with sudo where not root)
	@tools/deps.sh

build/davit: deps ## build the binary
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) >/dev/null
	@ninja -C $(BUILD) --quiet

demo: build/davit ## a canary goes out, a bad one comes back by itself (DEMO=auto without a terminal)
	@tools/demo

test: unit system ## every test: units, corpora, the real binary under load

unit: build/davit ## unit tests and replayed corpora
	@tools/unit $(BUILD)

system: build/davit ## the real binary, real processes, real load (TESTS=02 for one file)
	@tests/system/run $(TESTS)

lint: build/davit ## layers, shape, format, shell, links in the documents
	@tools/lint

tidy: build/davit ## clang-tidy: what a compiler does not see (FILES=src/wire/url.c for one)
	@tools/clang-tidy $(FILES)

format: deps ## clang-format over every source
	@git ls-files '*.c' '*.h' | xargs clang-format -i

sim: build/davit ## simulate rollouts under faults; SEEDS=N FIRST=K (one seed: a replay)
	@$(BUILD)/tests/sim/sim $(if $(filter 1,$(SEEDS)),$(FIRST),--seeds $(SEEDS) --first $(FIRST))

mutants: build/davit ## break the code on purpose; some test must notice each
	@tests/mutants/run

fuzz: deps ## fuzz every parser for FUZZ_SECONDS each
	@tests/fuzz/run $(FUZZ_SECONDS)

malformed: deps ## N malformed requests (N=1000000 SEED=K CONNECTIONS=N of HTTP/2) to a gateway built with sanitizers
	@test -f build-asan/build.ninja || CC=clang meson setup build-asan -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
	@ninja -C build-asan --quiet davit tests/malformed/davit-malformed
	@tests/malformed/run build-asan $(N) $(SEED) $(CONNECTIONS)

bench: build/davit ## side by side with HAProxy and nginx (BENCH=short: only that it runs)
	@tests/bench/run

bench-gateway: build/davit ## the gateway beside HAProxy, nginx and Go in every shape of load, about 10 minutes
	@BUILD=$(BUILD) tests/bench/bench_gateway.py

bench-judge: build/davit ## how often the judge is wrong, how fast it is right, and its peers (BENCH=short: for CI)
	@$(BUILD)/tests/bench/bench_judge $(if $(filter short,$(BENCH)),short nulls goals cost)

soak: build/davit ## rollouts under load for SOAK_MINUTES: memory and descriptors stay flat
	@tests/system/soak $(SOAK_MINUTES)

docs: build/davit ## write the generated reference pages
	@$(BUILD)/tools/gendocs .

install: build/davit ## install the binary, man pages and completions under DESTDIR and PREFIX
	@meson install -C $(BUILD) --no-rebuild

clean: ## remove the build
	@rm -rf $(BUILD) build-*
