# One command for each thing one does here; `make help` lists them.
#   PORT=9000               where `make run` serves (loopback; 8501 by default)
#   SERVE='--home /data'    further options of `python -m backend serve`
#   TESTS='tests/models -x' what `make test` hands to pytest
#   MEASURED='gif overhead' which modules `make bench` runs; all by default
#   PYTHON=/usr/bin/python3 the interpreter the environment is made with

PORT ?= 8501
SERVE ?=
TESTS ?=
PYTHON ?=
export PYTHON

VENV := .venv/bin
MEASURED ?= $(filter-out __%,$(basename $(notdir $(wildcard benchmarks/*.py))))

.PHONY: help run test check fix bench clean

help: ## List the commands
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile

run: ## Set up what is missing, serve everything on one port of this machine, print the link
	@sh tools/setup run
	@exec $(VENV)/python -m backend serve --port $(PORT) $(SERVE)

test: ## Set up everything, a browser too, and run all tests
	@sh tools/setup dev
	@$(VENV)/python tools/browser.py --install
	@$(VENV)/python -m pytest $(TESTS)

check: ## Formatting, lint, types, directions of imports
	@sh tools/setup dev
	@$(VENV)/ruff format --check .
	@$(VENV)/ruff check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports

fix: ## Format, and mend what the linter can
	@sh tools/setup dev
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .

bench: ## Measure, and print, what benchmarks/ measures
	@sh tools/setup dev
	@$(VENV)/python tools/browser.py --install
	@set -e; for name in $(MEASURED); do $(VENV)/python -m benchmarks.$$name; done

clean: ## Remove the environment and every cache; recordings stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
