# Every target sets up what it needs: Python 3.11 or later, make and git are enough on a new machine.
# `make` alone lists the targets. Another interpreter: `make test PYTHON=/path/to/python3.13`.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first interpreter that is new enough; `make dev` says so clearly where there is none.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-from-pyproject
PACKAGE_VENV := build/package-venv
PACKAGE_STAMP := $(PACKAGE_VENV)/.made-from-pyproject
PYTEST := $(BIN)/python -m pytest
PYTEST_ARGS ?=
JOBS ?= auto
BENCH_JSON ?= build/bench.json
BENCH_ARGS ?=
SOURCES := kubectl_stepup tests scripts benchmarks

export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

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
	@# An old pip writes console scripts that cost 10 ms more at every start.
	$(1)/bin/python -m pip install --quiet --upgrade pip
endef

.PHONY: help dev demo test system check lint bench docs package clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):[^#]*## /\1 /p' $(MAKEFILE_LIST) | while read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

dev: $(STAMP) ## Make the development environment in .venv

$(STAMP): pyproject.toml
	$(call say,Making $(VENV) for development with $(PYTHON))
	$(call make_venv,$(VENV))
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@
	@echo 'Ready: $(BIN)/kubectl-stepup'

demo: $(STAMP) ## Play the whole story on an embedded identity provider and cluster
	$(call say,Playing the demo: embedded provider and cluster on loopback; nothing of yours is read)
	$(BIN)/kubectl-stepup demo --yes

test: $(STAMP) ## Run every test that this machine can run, and name what was left out
	$(call say,Running the tests that need nothing from outside)
	$(PYTEST) -n $(JOBS) -m 'not system' $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory system

# Pytest says 5 where nothing was collected: a checkout without system tests is not a failure.
system: $(STAMP) ## Run the tests against real outside components; those that are missing are named
	$(call say,Running the system tests; a skipped one says which component is missing)
	$(PYTEST) -m system $(PYTEST_ARGS) || [ $$? -eq 5 ]

lint: $(STAMP) ## Check style, format and types
	$(call say,Checking style with ruff)
	$(BIN)/ruff check $(SOURCES)
	$(call say,Checking the format with ruff)
	$(BIN)/ruff format --check $(SOURCES)
	$(call say,Checking types with mypy)
	$(BIN)/mypy

check: lint test ## Everything that must hold before a change goes in: lint and test

bench: $(STAMP) ## Measure the cached credential road against bare interpreters and kubectl
	$(call say,Measuring; paired rounds in rotated order)
	@mkdir -p $(dir $(BENCH_JSON))
	$(BIN)/python -m benchmarks.credential_road --json $(BENCH_JSON) $(BENCH_ARGS)

docs: $(STAMP) ## Write the generated reference pages anew and check all pages
	$(call say,Writing docs/reference/commands.md from --help)
	$(BIN)/python scripts/make_command_reference.py
	$(call say,Checking README.md and docs/)
	$(PYTEST) -q tests/test_docs.py tests/test_error_tree.py

$(PACKAGE_STAMP): pyproject.toml
	$(call say,Making $(PACKAGE_VENV) for packaging with $(PYTHON))
	@mkdir -p build
	$(call make_venv,$(PACKAGE_VENV))
	@touch $@

package: $(PACKAGE_STAMP) ## Build this platform's Krew archive and its manifest in dist/
	$(call say,Installing this checkout and PyInstaller into $(PACKAGE_VENV))
	$(PACKAGE_VENV)/bin/python -m pip install --quiet --upgrade '.[package]'
	$(PACKAGE_VENV)/bin/python -m pip install --quiet --force-reinstall --no-deps .
	$(call say,Building the archive)
	$(PACKAGE_VENV)/bin/python scripts/build_krew_archive.py

clean: ## Remove everything that the targets made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
