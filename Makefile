# Every target sets up what it needs: Python 3.11 or later, make and git are enough on a new machine.
# `make` alone lists the targets. Another interpreter: `make test PYTHON=/path/to/python3.13`.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first interpreter that is new enough; `make dev` says so clearly where there is none.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
VENV_STAMP := $(VENV)/.made-from-pyproject
STAMP := $(VENV)/.with-launcher-from-sources
MUTATE_STAMP := $(VENV)/.with-mutmut-from-pyproject
PACKAGE_VENV := build/package-venv
PACKAGE_STAMP := $(PACKAGE_VENV)/.made-from-pyproject
PYTEST := $(BIN)/python -m pytest
PYTEST_ARGS ?=
JOBS ?= auto
SYSTEM_JOBS ?= 2
BENCH_JSON ?= build/bench.json
BENCH_ARGS ?=
FUZZ_MINUTES ?= 10
FUZZ_REPORT ?= docs/reports/fuzzing.md
FUZZ_ARGS ?=
DIFFERENTIAL_ARGS ?=
MUTATE ?=
SOURCES := kubectl_stepup launcher tests scripts benchmarks
PROVIDER ?= oidc-provider
MANIFEST := dist/stepup.yaml
# Another minor version of the control plane, of those that have a module in tests/system/tools: make system KUBERNETES=1.33
ifdef KUBERNETES
export KUBECTL_STEPUP_SYSTEM_KUBERNETES := $(KUBERNETES)
endif

export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME PYTHONOPTIMIZE PYTHONWARNINGS PYTHONDONTWRITEBYTECODE VIRTUAL_ENV

define say
	@printf '\n==> %s\n' '$(1)'
endef

define make_venv
	@if [ -z '$(PYTHON)' ] || ! '$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo 'error: Python 3.11 or later is needed, and $(if $(PYTHON),$(PYTHON) is not one,no python3 on PATH is one)' >&2; \
		echo 'hint: make PYTHON=/path/to/python3.11' >&2; exit 1; fi
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { \
		echo 'error: $(PYTHON) cannot make virtual environments (no ensurepip)' >&2; \
		echo 'hint: apt-get install python3-venv' >&2; exit 1; }
	'$(PYTHON)' -m venv --clear $(1)
	@# An old pip writes console scripts that cost 10 ms more at every start, and setuptools, which only Python 3.11 puts
	@# there, a .pth file that costs one.
	$(1)/bin/python -m pip install --quiet --upgrade pip
	$(1)/bin/python -m pip uninstall --quiet --yes setuptools 2>/dev/null
endef

.PHONY: help dev demo test system system-oldest parts lab lab-down corpus differential grammar fuzz mutate nightly check lint bench bench-check bench-page docs package clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1 /p' $(MAKEFILE_LIST) | while read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done

dev: $(STAMP) ## Make the development environment in .venv

$(VENV_STAMP): pyproject.toml
	$(call say,Making $(VENV) for development with $(PYTHON))
	$(call make_venv,$(VENV))
	@touch $@

# Everything but the launcher is edited in place.
$(STAMP): $(VENV_STAMP) kubectl_stepup/__init__.py $(wildcard launcher/*.*)
	$(call say,Installing this checkout into $(VENV): its launcher is compiled where there is a C compiler)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@[ -e $(BIN)/kubectl_stepup-python ] || echo 'Without the launcher: CONTRIBUTING.md says when'
	@touch $@
	@echo 'Ready: $(BIN)/kubectl-stepup'

demo: $(STAMP) ## Play the whole story on an embedded identity provider and cluster
	$(call say,Playing the demo: embedded provider and cluster on loopback; nothing of yours is read)
	$(BIN)/kubectl-stepup demo --yes

test: $(STAMP) ## Run every test that needs nothing from outside, and say what that leaves out
	$(call say,Running the tests that need nothing from outside)
	$(PYTEST) -n $(JOBS) --dist loadgroup -m 'not system' $(PYTEST_ARGS)
	@printf 'Left out: the tests against real servers, providers and keyrings: make system\n'

# The parts are obtained first, with a line each: the first time they are downloaded and built, which takes half an hour.
# A run of some of the tests (PYTEST_ARGS) obtains what these need by itself.
system: $(STAMP) $(if $(PYTEST_ARGS),,$(MANIFEST) parts) ## Run the tests against real servers, providers, keyrings and tools
	$(call say,Running the system tests; one that is left out says which part is missing and how to get it)
	$(PYTEST) -n $(SYSTEM_JOBS) --dist loadgroup -m system $(or $(PYTEST_ARGS),tests/system tests/test_krew_manifest.py)

system-oldest: ## Run the tests of the API server on Kubernetes 1.33, where numbers are integers to CEL
	@$(MAKE) --no-print-directory system KUBERNETES=1.33 \
		PYTEST_ARGS='tests/system/test_tokens_on_the_server.py tests/system/test_the_story.py tests/system/test_rbac_audit.py $(wildcard tests/system/test_server_*.py)'

parts: $(STAMP) ## Obtain the parts of the test bed: download, build, keep outside the tree
	$(call say,Obtaining the parts of the test bed)
	$(BIN)/python -m tests.system.parts

lab: $(STAMP) ## Start a provider and a real API server to try things by hand (PROVIDER=keycloak)
	$(call say,Starting the lab)
	@$(BIN)/python -m tests.system.lab up --provider $(PROVIDER)

lab-down: $(STAMP) ## Stop the lab, and whatever a killed test run left behind
	@$(BIN)/python -m tests.system.lab down

corpus: $(STAMP) ## Record again what kubectls send for the commands in tests/system/recorder (ten minutes)
	$(call say,Running every command with three kubectls against a real API server)
	$(BIN)/python -m tests.system.recorder

differential: $(STAMP) ## Compare the command parser with three kubectls on 10,000 generated commands (half an hour)
	$(call say,Running generated commands with three kubectls against a recording server)
	$(BIN)/python -m tests.system.differential $(DIFFERENTIAL_ARGS)

fuzz: $(STAMP) ## Send ten minutes of malformed inputs to every parser of foreign data, and write the report
	$(call say,Installing the fuzzer, if there is one for this machine)
	$(BIN)/python -m pip install --quiet --editable '.[dev,fuzz]'
	$(call say,Running every target for $(FUZZ_MINUTES) minutes, two at once)
	$(BIN)/python -m tests.fuzz --minutes $(FUZZ_MINUTES) --report $(FUZZ_REPORT) $(FUZZ_ARGS)
	$(call say,Trying forty times the examples of every property that make test tries)
	$(PYTEST) -n $(JOBS) --dist loadgroup -m 'hypothesis and not system' --hypothesis-profile long

# Each kubectl is compiled as a library, which takes minutes; MINORS=1.37 (or several) dumps only those.
grammar: $(STAMP) ## Dump the commands and flags of every supported kubectl, and write the parser's table
	$(call say,Dumping the command trees of kubectl 1.27 to 1.37)
	@mkdir -p build
	$(BIN)/python -m tests.system.grammar $(MINORS)
	$(BIN)/python scripts/make_grammar.py > build/grammar_table.py
	mv build/grammar_table.py kubectl_stepup/kubectl/grammar_table.py

lint: $(STAMP) ## Check style, format and types
	$(call say,Checking style with ruff)
	$(BIN)/ruff check $(SOURCES)
	$(call say,Checking the format with ruff)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/clang-format --dry-run --Werror launcher/*.c launcher/*.h
	$(call say,Checking types with mypy)
	$(BIN)/mypy

check: lint test ## Run what a change must pass: lint and test

$(MUTATE_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[dev,mutate]'
	@touch $@

mutate: $(MUTATE_STAMP) ## Change the code in small ways and check that the tests notice (a group: MUTATE=policy)
	$(call say,Testing mutants; the report goes to docs/reports/mutation.md)
	$(BIN)/python -m scripts.mutate $(MUTATE)

nightly: ## Run what takes hours: fuzzing, mutants, 10,000 commands on three kubectls, the oldest server, bench-check
	@$(MAKE) --no-print-directory --keep-going -j1 fuzz mutate differential system-oldest bench-check

bench: $(STAMP) ## Measure interpreters, kubectl, kubelogin and this program, and how costs grow (ten minutes)
	$(call say,Measuring; paired rounds in rotated order)
	$(BIN)/python -m benchmarks --json $(BENCH_JSON) $(BENCH_ARGS)
	$(call say,Measuring decisions over ten to a thousand rules)
	$(BIN)/python -m benchmarks.policy_rules --json $(dir $(BENCH_JSON))bench-policy.json
	$(call say,Measuring how long commands wait that share one step-up)
	$(BIN)/python -m benchmarks.followers

bench-check: $(STAMP) ## Run bench, and fail where a bound of docs/explanation/performance.md is missed
	@$(MAKE) --no-print-directory bench BENCH_ARGS='$(BENCH_ARGS) --check'

bench-page: $(STAMP) ## Write the measured part of docs/explanation/performance.md from the last `make bench`
	$(BIN)/python -m benchmarks.page $(BENCH_JSON)

docs: $(STAMP) ## Write the generated reference pages and check all pages
	$(call say,Writing docs/reference/commands.md from --help)
	$(BIN)/python scripts/make_command_reference.py
	$(call say,Checking README.md and docs/)
	$(PYTEST) -q tests/test_docs.py tests/test_error_tree.py

$(PACKAGE_STAMP): pyproject.toml
	$(call say,Making $(PACKAGE_VENV) for packaging with $(PYTHON))
	@mkdir -p build
	$(call make_venv,$(PACKAGE_VENV))
	@touch $@

package: $(MANIFEST) ## Build this platform's Krew archive and its manifest in dist/

$(MANIFEST): $(PACKAGE_STAMP) krew-manifest.yaml LICENSE $(wildcard launcher/*.*) $(shell find kubectl_stepup packaging scripts -name '*.py' -o -name '*.yaml' -o -name '*.json' -o -name '*.spec')
	$(call say,Installing this checkout with PyInstaller and zig into $(PACKAGE_VENV))
	$(PACKAGE_VENV)/bin/python -m pip install --quiet --upgrade '.[package]'
	$(PACKAGE_VENV)/bin/python -m pip install --quiet --force-reinstall --no-deps .
	$(call say,Building the archive)
	$(PACKAGE_VENV)/bin/python scripts/build_krew_archive.py

clean: ## Remove everything that the targets made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
