# One place for the commands that people and CI type. Everything lives in .venv, nothing outside the folder.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .cache/ansible-tools

.PHONY: run test test-hosts test-hosts-full lint lint-ansible molecule bench effect stability contest clean bench-fleet test-spark

run: $(VENV)/.installed
	$(BIN)/advisor check --window 10 --exit-zero

test: $(VENV)/.installed-dev lint
	$(BIN)/python -m pytest

# Real kernels under qemu, without hardware virtualisation; downloads Debian's kernels into ~/.cache/memadvisor.
test-hosts: $(VENV)/.installed-dev
	$(BIN)/python -m tests.hosts prepare
	MEMADVISOR_HOSTS=quick $(BIN)/python -m pytest tests/hosts -m hosts

test-hosts-full: $(VENV)/.installed-dev
	$(BIN)/python -m tests.hosts prepare
	MEMADVISOR_HOSTS=full $(BIN)/python -m pytest tests/hosts -m hosts

# memadvisor against what people would use instead: six loads, three kernels, seven repeats; some hours. Goes on where
# it was; to start anew, move bench/contest/runs.jsonl away.
contest: $(VENV)/.installed-dev
	$(BIN)/python -m tests.hosts prepare
	$(BIN)/python -u -m bench.contest

# What vm.watermark_scale_factor does to a service: 80 trials on two kernels, 40 to 90 minutes. Goes on where it was;
# to start anew, move bench/effect/runs.jsonl away.
effect: $(VENV)/.installed-dev
	$(BIN)/python -m tests.hosts prepare
	$(BIN)/python -u -m bench.effect

# Whether advice settles: twenty rounds of it on a busy guest, on two kernels, 20 to 30 minutes each. A series that was
# interrupted begins anew; to start all anew, move bench/stability/rounds.jsonl away.
stability: $(VENV)/.installed-dev
	$(BIN)/python -m tests.hosts prepare
	$(BIN)/python -u -m bench.stability

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The Ansible collection: ansible-lint, ansible-test sanity, antsibull-docs, antsibull-changelog.
lint-ansible: $(TOOLS)/.installed
	$(TOOLS)/bin/python tools/lint_ansible.py

# The role on made-up hosts.
molecule: $(TOOLS)/.installed
	$(TOOLS)/bin/python tools/molecule.py

bench: $(VENV)/.installed-dev
	$(BIN)/python bench/run.py

bench-fleet: $(VENV)/.installed-dev
	$(BIN)/python bench/fleet.py

# Spark, with a real cluster of two executors on this machine; 450 MB to install, and needs Java 17.
test-spark: $(VENV)/.installed-dev
	$(BIN)/python -m pip install -q '.[spark]'
	$(BIN)/python -m pytest tests/test_fleet_spark.py

$(VENV)/.installed: pyproject.toml tools/make_venv.py
	$(PYTHON) tools/make_venv.py $(VENV) .
	touch $@

$(VENV)/.installed-dev: pyproject.toml tools/make_venv.py
	$(PYTHON) tools/make_venv.py $(VENV) '.[dev]'
	touch $@ $(VENV)/.installed

$(TOOLS)/.installed: pyproject.toml tools/make_venv.py
	$(PYTHON) tools/make_venv.py $(TOOLS) '.[dev-ansible]'
	touch $@

clean:
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
