# The commands of daily work. Each goes through `install`, which does nothing when nothing changed.
PYTHON := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME

.PHONY: help install check lint test conformance demo bench docs lock format clean

help:
	@echo "make demo         the main job on the flights of 2013, results in demo-results/"
	@echo "make test         everything that CI runs"
	@echo "make check        format, lint, types, layers, unit and shape tests (daily work)"
	@echo "make conformance  what is promised to others, and what is too heavy for CI"
	@echo "make bench        speed and memory beside peers, in one run; make bench ONLY=\"start steps\""
	@echo "make docs         the documents as a site; make lock: the pins anew; make format"

install:
	@scripts/install.sh

lint: install
	ruff format --check .
	ruff check .
	mypy
	lint-imports --no-logo

check: lint
	$(PYTHON) -m pytest -q -n 2 tests/unit tests/shape

test:
	@scripts/install.sh test
	@$(MAKE) --no-print-directory lint
	$(PYTHON) -m pytest -n 2 tests

conformance: install
	$(PYTHON) -m pytest -n 2 tests/conformance

demo:
	@scripts/install.sh demo
	fairway demo

bench: install
	$(PYTHON) -m bench $(ONLY)

docs: install
	$(PYTHON) scripts/reference.py
	mkdocs build --strict

lock: install
	uv pip compile --quiet --universal --no-annotate --custom-compile-command "make lock" -o requirements/core.lock pyproject.toml
	uv pip compile --quiet --universal --no-annotate --custom-compile-command "make lock" --all-extras --group dev -o requirements/dev.lock pyproject.toml

format: install
	ruff format .
	ruff check --fix .

clean:
	rm -rf .venv demo-results site examples/flights/.fairway
