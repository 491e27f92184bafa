# `make run` and `make test` do all the set-up by themselves; the second time they start at once.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --no-input
STAMPS := .venv/.stamps
CONSOLE := $(shell find console -name node_modules -prune -o -name dist -prune -o -type f -print 2>/dev/null)
ARGS ?=
# Some machines forbid compiled files; a start would take twice as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test check lint bench soak screens docs lock setup dev clean

help: ## say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(STAMPS)/app ## set up if needed and open a live demo fleet on http://127.0.0.1:8000
	@exec $(BIN)/mooring demo $(ARGS)

# Journeys wait for real processes on a shared machine: one that fails is tried once more, and the summary says so.
test: dev ## set up if needed and run every test but the slow ones (ARGS="tests/devices -x")
	@exec $(BIN)/python -m pytest --reruns 1 $(ARGS)

check: lint test ## style, types, floors, console, then the tests

lint: dev ## style, types, floors and console only
	@echo "-> ruff"; $(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }
	@$(BIN)/ruff check --quiet .
	@echo "-> mypy"; $(BIN)/mypy --no-error-summary
	@echo "-> import floors"; $(BIN)/lint-imports --no-logo > .venv/.floors || { cat .venv/.floors; exit 1; }
	@if [ -f console/package.json ] && command -v npm >/dev/null; then echo "-> console"; \
	  cd console; [ -x node_modules/.bin/vitest ] || npm ci --silent; npm run --silent types -- --check >/dev/null; npm run --silent check; fi

bench: $(STAMPS)/bench ## measure, some minutes (ARGS=--write keeps the table in docs/benchmarks.md)
	@exec $(BIN)/python -m bench $(ARGS)

soak: dev ## the slow tests: a hundred kills, hours of churn
	@exec $(BIN)/python -m pytest -m slow $(ARGS)

screens: dev ## screenshots of every page of the console, light and dark, into artifacts/screens
	@exec $(BIN)/python -m scripts.screens $(ARGS)

docs: dev ## rewrite what is generated: docs/settings.md, docs/routes.md, console/openapi.json and its types
	@$(BIN)/python -m scripts.generate_docs
	@if command -v npm >/dev/null; then cd console; npm run --silent types; fi

lock: ## resolve the dependencies anew (needs uv)
	@scripts/lock.sh

clean: ## remove everything that tools made, but no data folder
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis artifacts dist build \
	  console/node_modules console/dist src/mooring/doors/console/static
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up, one stamp a step ------------------------------------------------------------------------------------

setup: $(STAMPS)/app
dev: $(STAMPS)/app $(STAMPS)/dev

$(STAMPS)/venv: scripts/venv.sh
	@scripts/venv.sh
	@mkdir -p $(STAMPS); touch $@

$(STAMPS)/packages: requirements.txt $(STAMPS)/venv
	@echo "-> packages, from requirements.txt, checked by hash"
	@$(PIP) --require-hashes --only-binary :all: -r requirements.txt
	@touch $@

# The console is built by the hook of pyproject.toml; a machine without Node gets one inside .venv for that.
$(STAMPS)/app: pyproject.toml hatch_build.py src/mooring/__init__.py $(CONSOLE) $(STAMPS)/packages
	@if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; then \
	  echo "-> Node 20.19 or newer not found: one for the build goes into .venv"; \
	  $(PIP) --require-hashes -r requirements-node.txt; fi
	@echo "-> mooring itself and its console"
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/dev: requirements-dev.txt $(STAMPS)/packages
	@echo "-> packages for the tests, from requirements-dev.txt"
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

$(STAMPS)/bench: requirements-bench.txt $(STAMPS)/app $(STAMPS)/dev
	@echo "-> packages for the benchmarks, from requirements-bench.txt"
	@$(PIP) --require-hashes -r requirements-bench.txt
	@touch $@
