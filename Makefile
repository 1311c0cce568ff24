# `make demo` and `make test` each work alone on a fresh checkout; `make help` lists the rest.

# The first Python of 3.11 or later.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: demo test quick lint fmt bench-peers clean help

demo: .venv/demo.stamp  ## the whole road in minutes: learn a folder of stories, with proof
	$(BIN)/daneel demo

test: lint  ## lint, types, and all tests
	$(BIN)/daneel pull smollm2 || echo "smollm2 could not be fetched: the tests that need it are skipped"
	$(BIN)/pytest

quick: .venv/test.stamp  ## the tests that take less than a minute together
	$(BIN)/pytest -m "not slow and not weights"

lint: .venv/test.stamp  ## style, types, and which room imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: .venv/test.stamp  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-peers: .venv-bench/stamp  ## what bench/ compares with, in .venv-bench: .venv-bench/bin/python bench/train.py

clean:  ## remove environments, caches and builds; runs/ and models stay
	rm -rf .venv .venv-bench dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests bench -name __pycache__ -prune -exec rm -rf {} +

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name line; do \
		printf '  make %-12s %s\n' "$$name" "$$line"; done

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "daneel needs Python 3.11 or later: install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/demo.stamp: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[hf]'
	touch $@

.venv/test.stamp: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[test]'
	touch $@ .venv/demo.stamp

.venv-bench/stamp: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "daneel needs Python 3.11 or later: install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[hf]' xllamacpp datatrove orjson spacy jieba 'xxhash<4' \
		tiktoken datasketch rensa presidio-analyzer py3langid lingua-language-detector
	touch $@
