# `make` without a target lists the targets. No target runs two compilers at once. All output folders are in .gitignore.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: nextest lint-start format lint-browser help run demo build site dev test check test-rust test-browser test-release bench bench-profile clean toolchain tools-test tools-bench FORCE

# Leptos reads the name at compile time. After a call without it, the next call compiles everything again.
export LEPTOS_OUTPUT_NAME := keyward
export CARGO_TARGET_DIR := $(CURDIR)/target
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
export PATH := $(PATH):$(CURDIR)/.tools/bin
export CHROMIUM ?= /usr/bin/chromium
export CHROMIUM_HEADLESS ?= /usr/bin/chromium-headless-shell
# CI fails if the lock file is not up to date.
locked := $(if $(CI),--locked)

listen := $(or $(KEYWARD_LISTEN),127.0.0.1:3000)
settings := KEYWARD_LISTEN="$(listen)" KEYWARD_DATABASE_URL="$(or $(KEYWARD_DATABASE_URL),sqlite:data/keyward.db)"
binary := target/release/keyward
# For `make run` and `make demo`: less optimized than a release, built in a third of the time.
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

# Morphs the DOM. An export is appended, because the minified file is not a module.
idiomorph := node_modules/idiomorph/dist/idiomorph.min.js

bindgen-version := $(shell awk '/^name = "wasm-bindgen"$$/ { getline; gsub(/version = |"/, ""); print }' Cargo.lock)
bindgen := .tools/wasm-bindgen-$(bindgen-version)
cargo-leptos := .tools/cargo-leptos-0.3.10
# A release contains `registry/…` instead of build paths, in panics and in C assertions.
cargo-home := $(or $(CARGO_HOME),$(HOME)/.cargo)
sysroot = $(shell rustc --print sysroot)
portable = CFLAGS="-ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(cargo-home)/registry/src=registry"
remap = --config 'build.rustflags=["--remap-path-prefix=$(CURDIR)=.","--remap-path-prefix=$(cargo-home)/registry/src=registry","--remap-path-prefix=$(sysroot)=rust"]'
# Used if `cargo nextest` is not installed.
cargo-nextest := .tools/cargo-nextest-0.9.143
# Tools run for seconds, so build time matters more than run time, most of all for wasm-bindgen, which a first `make run` waits for.
install := CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
  CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_TARGET_DIR=target/tools cargo install --root .tools

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

run: $(quick) ## build, then serve http://127.0.0.1:3000 on data/keyward.db
	@mkdir -p data
	@echo "==> Open http://$(listen) in a browser. On the first start, open the setup link below instead. Press Ctrl-C to stop the server."
	@$(settings) exec $(quick) serve

demo: $(quick) ## build, then serve data/demo.db, filled with new sample users, projects, and keys
	@mkdir -p data
	@rm -f data/demo.db data/demo.db-wal data/demo.db-shm
	@KEYWARD_DATABASE_URL=sqlite:data/demo.db KEYWARD_LISTEN="$(listen)" $(quick) demo
	@echo "==> Press Ctrl-C to stop the server."
	@KEYWARD_DATABASE_URL=sqlite:data/demo.db KEYWARD_LISTEN="$(listen)" KEYWARD_KEY_FILE=data/demo.key exec $(quick) serve

build: $(binary) ## build target/release/keyward: the optimized server with the site (about 15 minutes the first time)

dev: toolchain $(bindgen) $(cargo-leptos) $(npm) ## build and serve, again whenever a file changes
	@mkdir -p data
	@cp -r public/. target/site/
	@node .ci/font.mjs $(font) target/site/fonts/inter-latin-wght.woff2
	@cp style/font.css target/site/
	@{ cat $(idiomorph); echo ';export{Idiomorph}'; } > target/site/idiomorph.js
	@echo "==> Building for http://$(listen), again whenever a file changes (about 10 minutes the first time). Press Ctrl-C to stop."
	@$(settings) exec cargo leptos watch -- serve

test: tools-test lint-start format lint-browser test-rust test-browser test-release ## run all tests, as CI does
	@cat target/stages
	@echo "==> All checks passed: formatting, clippy (server and browser), Rust tests (SQLite and PostgreSQL), browser tests (Chromium, Firefox, WebKitGTK), release binary."

check: format lint-browser ## check formatting, and run clippy for the server and the browser
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

# MD5 passwords: a SCRAM handshake for each connection takes longer than many tests.
test-rust: toolchain nextest ## run clippy for the server, and the Rust tests on SQLite and PostgreSQL
	@.ci/need postgresql nginx caddy python3
	@echo "==> Building the Rust tests with clippy (about 8 minutes the first time)."
	@$(call stage,build of the Rust tests with clippy) $(linted) $(nextest) --no-run
	@echo "==> Running the Rust tests with a temporary PostgreSQL server."
	@$(call stage,Rust tests) pg_virtualenv -t -i --auth-host=md5 -o max_connections=400 -o fsync=off -o password_encryption=md5 env $(scratch) $(linted) $(nextest)

test-browser: site $(npm-test) ## run the browser tests in Chromium, Firefox, and WebKitGTK against target/debug/keyward
	@.ci/need chromium chromium-headless-shell firefox-esr webkit2gtk-driver xvfb jq curl sqlite3 python3
	@echo "==> Building the server and examples/token-endpoint (about 6 minutes the first time, less if the Rust tests are built)."
	@$(call stage,build for the browser tests) $(linted) cargo build $(locked) --bin keyward --example token-endpoint
	@echo "==> Running the browser tests."
	@cd end2end && $(call stage,browser tests) $(scratch) KEYWARD_BIN="$(CURDIR)/$(debug)" node_modules/.bin/playwright test

test-release: $(binary) $(npm-test) ## check the size of the release binary, and run a short test in Chromium
	@.ci/need chromium curl
	@KEYWARD_BIN="$(CURDIR)/$(binary)" .ci/size
	@cd end2end && $(call stage,smoke run of the release binary) CHROMIUM_HEADLESS="$(CHROMIUM)" KEYWARD_BIN="$(CURDIR)/$(binary)" node_modules/.bin/playwright test $(smoke)

bench: tools-bench $(if $(KEYWARD_BIN),,$(binary)) $(npm-bench) ## compare Keyward with other programs (30 minutes), with the table in target/bench/result.md
	@PATH="$$PATH:/usr/sbin" taskset -c 1 node bench/run.mjs $(BENCH)

bench-profile: tools-bench toolchain $(npm-bench) ## profile one row of the benchmark: make bench-profile ROW=verify-small
	@.ci/need perf strace
	@echo "==> Building the server with function names into target/profile (about 10 minutes the first time)."
	CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only CARGO_TARGET_DIR=target/profile \
	  RUSTFLAGS="--cfg erase_components -C force-frame-pointers=yes" cargo build $(locked) --release --bin keyward
	@KEYWARD_BIN="$${KEYWARD_BIN:-target/profile/release/keyward}" PATH="$$PATH:/usr/sbin" taskset -c 1 node bench/run.mjs --profile $(or $(ROW),verify-small) $(BENCH)

clean: ## remove build output, but not tools, npm packages, and data
	rm -rf target end2end/test-results end2end/playwright-report

tools-test:
	@.ci/need postgresql nginx caddy python3 chromium chromium-headless-shell firefox-esr webkit2gtk-driver xvfb jq curl sqlite3

tools-bench:
	@PATH="$$PATH:/usr/sbin" .ci/need wrk nginx g++

# Clippy's driver is a complete compiler. As the compiler wrapper it reports lints while it builds, so that nothing is compiled twice.
# `cargo clippy` sets the same two variables. Warnings of other crates are not reported.
linted = RUSTC_WORKSPACE_WRAPPER="$$(rustup which clippy-driver)" CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__

# Installs `cargo nextest` if it is missing.
nextest:
	@cargo nextest --version >/dev/null 2>&1 || $(MAKE) --no-print-directory $(cargo-nextest)

# The site in target/site, which the server embeds. See .ci/site.mjs for its output.
site: $(parts)/browser/keyward.wasm $(parts)/style/keyward.css
	@node .ci/site.mjs target/site public $(parts)/browser $(parts)/style

# Always runs: cargo detects changes itself.
$(wasm): FORCE | toolchain
	@$(call slow,crates Cargo.toml Cargo.lock,Building the browser part (about 3 minutes the first time).)
	@$(call stage,build of the browser part) cargo build $(locked) $(remap) --package keyward-browser --target wasm32-unknown-unknown --profile wasm-release

$(parts)/browser/keyward.wasm: $(wasm) $(npm) | $(bindgen)
	@echo "==> Optimizing the browser part for size (about 1 minute)."
	@rm -rf $(@D)
	.tools/bin/wasm-bindgen --target web --no-typescript --out-name keyward --out-dir $(@D) $(wasm)
	@sed -i 's/keyward_bg\.wasm/keyward.wasm/g' $(@D)/keyward.js
	node_modules/.bin/wasm-opt -Oz $(wasm-features) $(@D)/keyward_bg.wasm --strip-debug --strip-producers --strip-target-features -o $(@D)/keyward_opt.wasm
	@rm $(@D)/keyward_bg.wasm
	@{ cat $(idiomorph); echo ';export{Idiomorph}'; } > $(@D)/idiomorph.js
	@mv $(@D)/keyward_opt.wasm $@

# WebAssembly features that rustc enables for wasm32-unknown-unknown.
wasm-features := --enable-bulk-memory --enable-multivalue --enable-mutable-globals --enable-nontrapping-float-to-int \
  --enable-reference-types --enable-sign-ext

# Lightning CSS compiles nesting and light-dark() for the oldest supported browsers: `browserquery` in Cargo.toml.
browsers := $(shell sed -n 's/^browserquery = "\(.*\)"$$/\1/p' Cargo.toml)
$(parts)/style/keyward.css: $(wildcard style/*.css) .ci/font.mjs Cargo.toml $(npm)
	@node .ci/font.mjs $(font) $(@D)/fonts/inter-latin-wght.woff2
	node_modules/.bin/lightningcss --minify --targets '$(browsers)' style/font.css -o $(@D)/font.css
	node_modules/.bin/lightningcss --bundle --minify --targets '$(browsers)' style/index.css -o $@

# The build of the server detects changes of embedded files, but not new files. After a new file, its crate is rebuilt.
$(binary): site FORCE | toolchain
	@$(call slow,src crates migrations target/site Cargo.toml Cargo.lock,Building the server (about 8 minutes the first time).)
	@$(call server,release)

$(quick): site FORCE | toolchain
	@$(call slow,src crates migrations target/site Cargo.toml Cargo.lock,Building the server (about 5 minutes the first time).)
	@$(call server,quick)

# $(call server,PROFILE): builds the server with the embedded files of target/site. Cargo ignores the profile's `strip` for a package
# with an override.
server = find target/site -type f | LC_ALL=C sort > target/site.$(1).new; \
  cmp -s target/site.$(1).new target/site.$(1) || cargo clean $(locked) --quiet --profile $(1) --package keyward-web; \
  $(call stage,$(1) build of the server) $(if $(filter release,$(1)),$(portable)) cargo rustc $(locked) \
    $(if $(filter release,$(1)),$(remap)) --profile $(1) --bin keyward $(if $(filter release,$(1)),-- -C strip=symbols); \
  mv target/site.$(1).new target/site.$(1)

toolchain:
	@command -v cargo >/dev/null || { echo "Rust is missing. Install it with rustup: https://rustup.rs" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "A C compiler is missing. Install one (Debian: apt-get install gcc libc6-dev)." >&2; exit 1; }
	@command -v npm >/dev/null || { echo "Node.js is missing. Install version 20 or later, with npm." >&2; exit 1; }
	@[ -d "$$(RUSTUP_AUTO_INSTALL=1 rustc --print target-libdir --target wasm32-unknown-unknown)" ] || rustup target add wasm32-unknown-unknown
	@mkdir -p target/site

$(bindgen): | toolchain
	@echo "==> Installing wasm-bindgen $(bindgen-version) into .tools (about 2 minutes, once)."
	$(subst OPT_LEVEL=1,OPT_LEVEL=0,$(install)) wasm-bindgen-cli --version $(bindgen-version) --no-default-features --bin wasm-bindgen
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

# The only package with an install script. .npmrc disables install scripts.
$(npm): package.json package-lock.json .npmrc | toolchain
	@echo "==> Installing the npm packages of the site (a few seconds)."
	npm ci
	node node_modules/lightningcss-cli/postinstall.js
	@touch $@

$(npm-test): end2end/package.json end2end/package-lock.json end2end/.npmrc | toolchain
	@echo "==> Installing the npm packages of the browser tests (a few seconds)."
	cd end2end && npm ci
	@touch $@

# better-sqlite3 has an install script, which compiles SQLite if there is no prebuilt binary for this version of Node.js.
$(npm-bench): bench/package.json bench/package-lock.json bench/.npmrc | toolchain
	@echo "==> Installing the npm packages of the benchmark, and compiling better-sqlite3 (about 2 minutes)."
	cd bench && npm ci && npm rebuild --ignore-scripts=false better-sqlite3
	@touch $@

# $(call slow,INPUTS,SENTENCE): prints the sentence if the target is missing or older than one of its inputs.
slow = if [ ! -e $@ ] || [ -n "$$(find $(1) -newer $@ -print -quit)" ]; then echo "==> $(2)"; fi

# $(call stage,NAME) COMMAND: runs the command, and adds its duration to target/stages, which `make test` prints at the end.
stage = $(CURDIR)/.ci/stage "$(1)"

# Test data in memory, if there is enough of it, because the tests wait for thousands of disk writes.
scratch = $(if $(shell [ -w /dev/shm ] && [ "$$(df --output=avail -k /dev/shm | tail -n 1)" -gt 4000000 ] && echo yes),TMPDIR=/dev/shm)

# A complete flow from the sign-in page to a token, in the tests named after the reference products.
smoke := setup.spec.ts eyepop-dashboard.spec.ts eyepop-tokens.spec.ts
