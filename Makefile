# The commands of development; `make help` lists them.
#   PORT=9000               where `make run` serves (loopback; 8501 by default)
#   SERVE='--home /data'    further options of `python -m stnscope serve`
#   TESTS='tests/models -x' arguments of pytest for `make test`
#   MEASURED='gif overhead' the benchmarks that `make bench` runs; all by default
#   MINUTES=5               duration of the memory benchmark, after a fifth of that as warm-up;
#                           50 by default
#   HOURS=1                 duration of `make soak`; 24 by default
#   FUZZ_SECONDS=60         duration of the fuzzer in `make test-slow`; 300 by default
#   PYTHON=/usr/bin/python3 the interpreter that .venv is created with

PORT ?= 8501
SERVE ?=
TESTS ?=
PYTHON ?=
export PYTHON
# Some images of Python set this; each of a few hundred processes would then compile the same modules.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv/bin
MINUTES ?= 50
HOURS ?= 24
# Modules with a leading underscore are shared by the others. Memory takes an hour, so it is last.
MEASURED ?= $(filter-out _% memory soak,$(sort $(basename $(notdir $(wildcard benchmarks/*.py))))) memory
FAST := tests/models tests/experiment tests/access tests/dashboard/test_modules.py \
  tests/test_imports.py tests/test_registries.py tests/test_compose.py tests/test_numbers.py \
  tests/test_docs.py tests/test_flows.py
OPTIONS_memory = --minutes $(MINUTES) --warm-up $$(expr $(MINUTES) / 5)

.PHONY: help run test test-fast test-slow check fix docs bench soak clean

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile

run: ## Set up what is missing, serve everything on one port of this machine, print the link
	@sh tools/setup run
	@exec $(VENV)/python -m stnscope serve --port $(PORT) $(SERVE)

# Four processes for two cores: most tests wait for a server, a trainer or the browser. The order of
# collection mixes, at any time, tests that wait with tests that compute; heavy ones first would not.
test: ## Set up what is missing, a browser too, and run all tests
	@sh tools/setup dev
	@$(VENV)/python tools/browser.py --install
	@$(VENV)/python -m pytest --numprocesses 4 --dist worksteal $(TESTS)

test-fast: ## Run the tests that need neither a server nor a browser, nor take seconds
	@sh tools/setup dev
	@$(VENV)/python -m pytest --numprocesses 2 --dist worksteal -m 'not slow and not seconds' $(FAST)

test-slow: ## Run the slow tests: a fuzzer, for FUZZ_SECONDS (300), and nginx, which must be there
	@sh tools/setup dev
	@$(VENV)/python -m pytest -m slow $(TESTS)

check: ## Check formatting, lint, types and import directions; Python and JavaScript
	@sh tools/setup dev
	@$(VENV)/ruff format --check .
	@$(VENV)/ruff check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports
	@$(VENV)/deno fmt --quiet --check
	@$(VENV)/deno lint --quiet
	@$(VENV)/deno check --quiet dashboard/assets tests/dashboard/js

fix: ## Format, and fix what the linter can
	@sh tools/setup dev
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .
	@$(VENV)/deno fmt --quiet

docs: ## Renew what is generated in docs/: the command line, results, the layers
	@sh tools/setup dev
	@$(VENV)/python -m tools.docs

bench: ## Measure, and print, what benchmarks/ measures
	@sh tools/setup dev
	@$(VENV)/python tools/browser.py --install
	@set -e; $(foreach name,$(MEASURED),$(VENV)/python -m benchmarks.$(name) $(OPTIONS_$(name));)

soak: ## Watch a training for HOURS (24); the result is kept in benchmarks/results/
	@sh tools/setup dev
	@$(VENV)/python tools/browser.py --install
	@$(VENV)/python -m benchmarks.soak --hours $(HOURS)

clean: ## Remove the environment and every cache; recordings stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
