# One place for the commands that people and CI type. Everything lives in .venv, nothing outside the folder.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test lint bench clean

run: $(VENV)/.installed
	$(BIN)/advisor check --window 10 --exit-zero

test: $(VENV)/.installed-dev lint
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-dev
	$(BIN)/python bench/run.py

$(VENV)/.installed: pyproject.toml tools/make_venv.py
	$(PYTHON) tools/make_venv.py $(VENV) .
	touch $@

$(VENV)/.installed-dev: pyproject.toml tools/make_venv.py
	$(PYTHON) tools/make_venv.py $(VENV) '.[dev]'
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
