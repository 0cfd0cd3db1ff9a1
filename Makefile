# The commands of development; `make help` lists them.
#   PORT=9000               where `make run` serves (loopback; 8501 by default)
#   SERVE='--home /data'    further options of `python -m stnscope serve`
#   TESTS='tests/models -x' what `make test` hands to pytest
#   MEASURED='gif overhead' which modules `make bench` runs; all by default
#   MINUTES=5               how long `make bench` watches memory, after a fifth of that to warm up;
#                           50 by default, and last of all, so that it can be broken off there
#   PYTHON=/usr/bin/python3 the interpreter the environment is made with

PORT ?= 8501
SERVE ?=
TESTS ?=
PYTHON ?=
export PYTHON

VENV := .venv/bin
MINUTES ?= 50
# What begins with a line is shared by the others; memory takes an hour, so it comes last.
MEASURED ?= $(filter-out _% memory,$(sort $(basename $(notdir $(wildcard benchmarks/*.py))))) memory
OPTIONS_memory = --minutes $(MINUTES) --warm-up $$(expr $(MINUTES) / 5)

.PHONY: help run test check fix docs bench clean

help: ## List the commands
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile

run: ## Set up what is missing, serve everything on one port of this machine, print the link
	@sh tools/setup run
	@exec $(VENV)/python -m stnscope serve --port $(PORT) $(SERVE)

test: ## Set up everything, a browser too, and run all tests
	@sh tools/setup dev
	@$(VENV)/python tools/browser.py --install
	@$(VENV)/python -m pytest --numprocesses 2 --dist worksteal $(TESTS)

check: ## Formatting, lint, types, directions of imports
	@sh tools/setup dev
	@$(VENV)/ruff format --check .
	@$(VENV)/ruff check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports
	@$(VENV)/deno fmt --quiet --check
	@$(VENV)/deno lint --quiet
	@$(VENV)/deno check --quiet dashboard/assets tests/dashboard/js

fix: ## Format, and mend what the linter can
	@sh tools/setup dev
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .
	@$(VENV)/deno fmt --quiet

docs: ## Renew what is generated in docs/: the command line, the layers
	@sh tools/setup dev
	@$(VENV)/python tools/docs.py

bench: ## Measure, and print, what benchmarks/ measures
	@sh tools/setup dev
	@$(VENV)/python tools/browser.py --install
	@set -e; $(foreach name,$(MEASURED),$(VENV)/python -m benchmarks.$(name) $(OPTIONS_$(name));)

clean: ## Remove the environment and every cache; recordings stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
