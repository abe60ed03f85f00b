# `make` alone lists the targets. Nothing here runs two compilers at once, and every folder it fills is in .gitignore.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: nextest lint-start format lint-browser help run demo build site dev test check test-rust test-browser test-release bench bench-profile clean toolchain tools-test tools-bench FORCE

# Leptos reads the name when it is compiled: one call without it, and the next one compiles everything again.
export LEPTOS_OUTPUT_NAME := keyward
export CARGO_TARGET_DIR := $(CURDIR)/target
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
export PATH := $(PATH):$(CURDIR)/.tools/bin
export CHROMIUM ?= /usr/bin/chromium
export CHROMIUM_HEADLESS ?= /usr/bin/chromium-headless-shell
# CI builds what the lock file says or fails.
locked := $(if $(CI),--locked)

listen := $(or $(KEYWARD_LISTEN),127.0.0.1:3000)
settings := KEYWARD_LISTEN="$(listen)" KEYWARD_DATABASE_URL="$(or $(KEYWARD_DATABASE_URL),sqlite:data/keyward.db)"
binary := target/release/keyward
# For `make run` and `make demo`: optimised less than a release, built in a third of the time.
quick := target/quick/keyward
# The browser tests run the binary that the Rust tests built.
debug := target/debug/keyward
wasm := target/wasm32-unknown-unknown/wasm-release/keyward_browser.wasm
parts := target/parts
nextest := cargo nextest run $(locked) --config-file .ci/nextest.toml
npm := node_modules/.package-lock.json
npm-test := end2end/node_modules/.package-lock.json
npm-bench := bench/node_modules/.package-lock.json
font := node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2

# Changes one tree into another; made a module, for its small form is none.
idiomorph := node_modules/idiomorph/dist/idiomorph.min.js

bindgen-version := $(shell awk '/^name = "wasm-bindgen"$$/ { getline; gsub(/version = |"/, ""); print }' Cargo.lock)
bindgen := .tools/wasm-bindgen-$(bindgen-version)
cargo-leptos := .tools/cargo-leptos-0.3.10
# A release says `registry/…` and not where it was built: in panics, and in the assertions of C.
cargo-home := $(or $(CARGO_HOME),$(HOME)/.cargo)
sysroot = $(shell rustc --print sysroot)
portable = CFLAGS="-ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(cargo-home)/registry/src=registry"
remap = --config 'build.rustflags=["--remap-path-prefix=$(CURDIR)=.","--remap-path-prefix=$(cargo-home)/registry/src=registry","--remap-path-prefix=$(sysroot)=rust"]'
# Used if `cargo nextest` is not there already.
cargo-nextest := .tools/cargo-nextest-0.9.143
# Tools run for seconds: quick to build matters more than quick to run.
install := CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
  CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_TARGET_DIR=target/tools cargo install --root .tools

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

run: $(quick) ## build what changed, then serve http://127.0.0.1:3000 on data/keyward.db
	@mkdir -p data
	@echo "==> Open http://$(listen) in a browser; on the first start use the setup link below instead. Ctrl-C stops the server."
	@$(settings) exec $(quick) serve

demo: $(quick) ## the same on data/demo.db, filled anew with people, projects and keys to look around in
	@mkdir -p data
	@rm -f data/demo.db data/demo.db-wal data/demo.db-shm
	@KEYWARD_DATABASE_URL=sqlite:data/demo.db KEYWARD_LISTEN="$(listen)" $(quick) demo
	@echo "==> Ctrl-C stops the server."
	@KEYWARD_DATABASE_URL=sqlite:data/demo.db KEYWARD_LISTEN="$(listen)" KEYWARD_KEY_FILE=data/demo.key exec $(quick) serve

build: $(binary) ## target/release/keyward: the server with the site inside, optimised (about 15 minutes the first time)

dev: toolchain $(bindgen) $(cargo-leptos) $(npm) ## build, serve, and do so again whenever a file changes
	@mkdir -p data
	@cp -r public/. target/site/
	@node .ci/font.mjs $(font) target/site/fonts/inter-latin-wght.woff2
	@cp style/font.css target/site/
	@{ cat $(idiomorph); echo ';export{Idiomorph}'; } > target/site/idiomorph.js
	@echo "==> Building for http://$(listen), and again whenever a file changes (about 10 minutes the first time). Ctrl-C stops it."
	@$(settings) exec cargo leptos watch -- serve

test: tools-test lint-start format lint-browser test-rust test-browser test-release ## everything that CI runs
	@cat target/stages
	@echo "==> Everything passed: formatting, clippy (server and browser), Rust tests (SQLite and PostgreSQL), browser tests (Chromium), release binary."

check: format lint-browser ## formatting and clippy, for the server and for the browser
	@echo "==> Checking the server with clippy (about 4 minutes the first time)."
	cargo clippy $(locked) --all-targets -- -D warnings

lint-start:
	@mkdir -p target
	@: > target/stages

format: toolchain
	@cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || rustup component add rustfmt clippy
	cargo fmt --all --check

lint-browser: toolchain
	@echo "==> Checking the browser part with clippy (about 2 minutes the first time)."
	@$(call stage,clippy for the browser) cargo clippy $(locked) --package keyward-browser --target wasm32-unknown-unknown -- -D warnings

test-rust: toolchain nextest ## clippy for the server; unit, store and router tests on SQLite and PostgreSQL
	@.ci/need postgresql nginx caddy python3
	@echo "==> Building the Rust tests, checked by clippy (about 8 minutes the first time)."
	@$(call stage,build of the Rust tests with clippy) $(linted) $(nextest) --no-run
	@echo "==> Running the Rust tests beside a PostgreSQL of their own."
	@$(call stage,Rust tests) pg_virtualenv -t -o max_connections=400 -o fsync=off env $(scratch) $(linted) $(nextest)

test-browser: site $(npm-test) ## browser tests in Chromium against target/debug/keyward
	@.ci/need chromium chromium-headless-shell jq curl sqlite3 python3
	@echo "==> Building the server and examples/token-endpoint (about 6 minutes the first time, unless the Rust tests are built)."
	@$(call stage,build for the browser tests) $(linted) cargo build $(locked) --bin keyward --example token-endpoint
	@echo "==> Running the browser tests."
	@cd end2end && $(call stage,browser tests) $(scratch) KEYWARD_BIN="$(CURDIR)/$(debug)" node_modules/.bin/playwright test

test-release: $(binary) $(npm-test) ## the release binary: its size, and a short run in Chromium
	@.ci/need chromium curl
	@KEYWARD_BIN="$(CURDIR)/$(binary)" .ci/size
	@cd end2end && $(call stage,smoke run of the release binary) CHROMIUM_HEADLESS="$(CHROMIUM)" KEYWARD_BIN="$(CURDIR)/$(binary)" node_modules/.bin/playwright test $(smoke)

bench: tools-bench $(if $(KEYWARD_BIN),,$(binary)) $(npm-bench) ## measure it beside others (half an hour): a table, also in target/bench/result.md
	@PATH="$$PATH:/usr/sbin" taskset -c 1 node bench/run.mjs $(BENCH)

bench-profile: tools-bench toolchain $(npm-bench) ## where the time of one row goes: make bench-profile ROW=verify-small
	@.ci/need perf strace
	@echo "==> Building the server with the names of its functions into target/profile (about 10 minutes the first time)."
	CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only CARGO_TARGET_DIR=target/profile \
	  RUSTFLAGS="--cfg erase_components -C force-frame-pointers=yes" cargo build $(locked) --release --bin keyward
	@KEYWARD_BIN="$${KEYWARD_BIN:-target/profile/release/keyward}" PATH="$$PATH:/usr/sbin" taskset -c 1 node bench/run.mjs --profile $(or $(ROW),verify-small) $(BENCH)

clean: ## remove what was built; tools, npm packages and data stay
	rm -rf target end2end/test-results end2end/playwright-report

tools-test:
	@.ci/need postgresql nginx caddy python3 chromium chromium-headless-shell jq curl sqlite3

tools-bench:
	@PATH="$$PATH:/usr/sbin" .ci/need wrk nginx g++

# Clippy's driver is a whole compiler: as the wrapper of ours it reports while it builds, and nothing is compiled twice, once to be
# checked and once to be run. `cargo clippy` sets the same two variables. Warnings of other crates are not reported.
linted = RUSTC_WORKSPACE_WRAPPER="$$(rustup which clippy-driver)" CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__

# Has `cargo nextest`, or installs it.
nextest:
	@cargo nextest --version >/dev/null 2>&1 || $(MAKE) --no-print-directory $(cargo-nextest)

# The site: target/site, embedded into the server. See .ci/site.mjs for what it writes.
site: $(parts)/browser/keyward.wasm $(parts)/style/keyward.css
	@node .ci/site.mjs target/site public $(parts)/browser $(parts)/style

# cargo knows best whether something changed.
$(wasm): FORCE | toolchain
	@$(call slow,crates Cargo.toml Cargo.lock,Building the browser part (about 3 minutes the first time).)
	@$(call stage,build of the browser part) cargo build $(locked) $(remap) --package keyward-browser --target wasm32-unknown-unknown --profile wasm-release

$(parts)/browser/keyward.wasm: $(wasm) $(npm) | $(bindgen)
	@echo "==> Making the browser part small (about a minute)."
	@rm -rf $(@D)
	.tools/bin/wasm-bindgen --target web --no-typescript --out-name keyward --out-dir $(@D) $(wasm)
	@sed -i 's/keyward_bg\.wasm/keyward.wasm/g' $(@D)/keyward.js
	node_modules/.bin/wasm-opt -Oz $(wasm-features) $(@D)/keyward_bg.wasm --strip-debug --strip-producers --strip-target-features -o $(@D)/keyward_opt.wasm
	@rm $(@D)/keyward_bg.wasm
	@{ cat $(idiomorph); echo ';export{Idiomorph}'; } > $(@D)/idiomorph.js
	@mv $(@D)/keyward_opt.wasm $@

# What rustc lets into wasm32-unknown-unknown.
wasm-features := --enable-bulk-memory --enable-multivalue --enable-mutable-globals --enable-nontrapping-float-to-int \
  --enable-reference-types --enable-sign-ext

# No targets: browsers of today read nesting, light-dark() and anchors as they are written.
$(parts)/style/keyward.css: $(wildcard style/*.css) .ci/font.mjs $(npm)
	@node .ci/font.mjs $(font) $(@D)/fonts/inter-latin-wght.woff2
	node_modules/.bin/lightningcss --minify style/font.css -o $(@D)/font.css
	node_modules/.bin/lightningcss --bundle --minify style/index.css -o $@

# The server notices by itself when an embedded file changes, but not when one comes: then its crate is built anew.
$(binary): site FORCE | toolchain
	@$(call slow,src crates migrations target/site Cargo.toml Cargo.lock,Building the server (about 8 minutes the first time).)
	@$(call server,release)

$(quick): site FORCE | toolchain
	@$(call slow,src crates migrations target/site Cargo.toml Cargo.lock,Building the server (about 5 minutes the first time).)
	@$(call server,quick)

# $(call server,PROFILE): builds the server with the files of target/site inside.
server = find target/site -type f | LC_ALL=C sort > target/site.$(1).new; \
  cmp -s target/site.$(1).new target/site.$(1) || cargo clean $(locked) --quiet --profile $(1) --package keyward; \
  $(call stage,$(1) build of the server) $(if $(filter release,$(1)),$(portable)) cargo build $(locked) \
    $(if $(filter release,$(1)),$(remap)) --profile $(1) --bin keyward; \
  mv target/site.$(1).new target/site.$(1)

toolchain:
	@command -v cargo >/dev/null || { echo "Rust is missing: install it with rustup, https://rustup.rs" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "A C compiler is missing: install one (Debian: apt-get install gcc libc6-dev)." >&2; exit 1; }
	@command -v npm >/dev/null || { echo "Node.js is missing: install version 20 or later, with npm." >&2; exit 1; }
	@[ -d "$$(RUSTUP_AUTO_INSTALL=1 rustc --print target-libdir --target wasm32-unknown-unknown)" ] || rustup target add wasm32-unknown-unknown
	@mkdir -p target/site

$(bindgen): | toolchain
	@echo "==> Installing wasm-bindgen $(bindgen-version) into .tools (about 2 minutes, once)."
	$(install) wasm-bindgen-cli --version $(bindgen-version)
	@rm -rf target/tools
	@touch $@

$(cargo-nextest): | toolchain
	@echo "==> Installing cargo-nextest into .tools (about 6 minutes, once)."
	$(install) cargo-nextest --version $(@:.tools/cargo-nextest-%=%) --locked
	@rm -rf target/tools
	@touch $@

$(cargo-leptos): | toolchain
	@echo "==> Installing cargo-leptos into .tools (about 10 minutes, once)."
	$(install) cargo-leptos --version $(@:.tools/cargo-leptos-%=%) --locked --features no_downloads
	@rm -rf target/tools
	@touch $@

# The one package with an install script; .npmrc lets none run by itself.
$(npm): package.json package-lock.json .npmrc | toolchain
	@echo "==> Fetching the site's npm packages (some seconds)."
	npm ci
	node node_modules/lightningcss-cli/postinstall.js
	@touch $@

$(npm-test): end2end/package.json end2end/package-lock.json end2end/.npmrc | toolchain
	@echo "==> Fetching the browser tests' npm packages (some seconds)."
	cd end2end && npm ci
	@touch $@

# better-sqlite3 is the one with an install script: it compiles SQLite, if there is nothing to be had for this Node.
$(npm-bench): bench/package.json bench/package-lock.json bench/.npmrc | toolchain
	@echo "==> Fetching what Keyward is measured beside, and compiling better-sqlite3 (2 minutes)."
	cd bench && npm ci && npm rebuild --ignore-scripts=false better-sqlite3
	@touch $@

# $(call slow,INPUTS,SENTENCE): says the sentence if the target is older than one of its inputs, or not there.
slow = if [ ! -e $@ ] || [ -n "$$(find $(1) -newer $@ -print -quit)" ]; then echo "==> $(2)"; fi

# $(call stage,NAME) COMMAND: runs it, and adds its duration to target/stages, which `make test` prints at its end.
stage = $(CURDIR)/.ci/stage "$(1)"

# Test data in memory, where there is room for it: tests wait for the disk a thousand times.
scratch = $(if $(shell [ -w /dev/shm ] && [ "$$(df --output=avail -k /dev/shm | tail -n 1)" -gt 4000000 ] && echo yes),TMPDIR=/dev/shm)

# A story from the sign-in page to a token, in the files that carry the names of the reference products.
smoke := setup.spec.ts eyepop-dashboard.spec.ts eyepop-tokens.spec.ts
