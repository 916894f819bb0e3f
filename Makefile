# Every target does its own set-up: a fresh clone needs python3 (3.11 or newer), pip and make, nothing more.
# Once set up, no target but `lock` needs the network.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
UV := $(VENV)/uv/bin/uv

# A virtual environment belongs to the folder it was made in; these settings of the caller's must not lead elsewhere.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV UV_PROJECT_ENVIRONMENT
# Tests and harnesses start hundreds of processes: without compiled modules each start takes twice as long.
unexport PYTHONDONTWRITEBYTECODE
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup demo check format test bench faults faults-full lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.package ## make .venv with the locked dependencies and the command .venv/bin/rejoinder

demo: setup ## run the main job end to end; options go in ARGS="--texts FILE"
	$(BIN)/rejoinder demo $(ARGS)

check: setup ## style, types, import arrows, sizes, locks; under 10 seconds
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/architecture

format: setup ## put all code into its one layout and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: setup ## all tests, then the checks; pytest's options go in ARGS
	$(BIN)/pytest -n 4 --dist worksteal $(ARGS)
	$(MAKE) --no-print-directory check

bench: $(VENV)/.bench ## measure; results go to bench/results/
	$(BIN)/python -m bench $(ARGS)

# No lock names where its files come from, so that any index or mirror serves.
COMPILE = $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --no-emit-find-links
faults: setup ## disturb the server (kills, power loss, a bad disk); a tenth of each, under 30 minutes
	$(BIN)/python -m faults $(ARGS)

faults-full: setup ## the same, all of it: hours; parts of it with ARGS="--only NAME --count N --seed S"
	$(BIN)/python -m faults --full $(ARGS)

lock: $(VENV)/.uv ## renew requirements/*.lock from pyproject.toml (needs the network)
	echo uv | $(COMPILE) - --output-file requirements/installer.lock
	$(COMPILE) pyproject.toml --output-file requirements/runtime.lock
	$(COMPILE) pyproject.toml --group dev -c requirements/runtime.lock --output-file requirements/dev.lock
	$(COMPILE) pyproject.toml --group bench -c requirements/dev.lock --output-file requirements/bench.lock
	! grep -nE '://|^-|[[:space:]]--(index|find)' requirements/*.lock

clean: ## remove everything that make made
	rm -rf $(VENV) .cache build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find src tests -type d -name __pycache__ -prune -exec rm -rf {} +

# The stamps: each stands for a finished step and is remade when what it was made from changes.

# Debian's python3 may lack ensurepip and its pip refuses to install outside a virtual environment; neither
# matters to `venv --without-pip` and to a pip that only fills a folder of its own.
$(VENV)/.uv: requirements/installer.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rejoinder needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv --without-pip --clear $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-user \
		--no-deps --require-hashes --target $(VENV)/uv -r requirements/installer.lock
	@touch $@

$(VENV)/.dependencies: $(VENV)/.uv requirements/dev.lock requirements/install.sh
	requirements/install.sh sync requirements/dev.lock
	@touch $@

$(VENV)/.package: $(VENV)/.dependencies pyproject.toml src/rejoinder/__init__.py
	$(UV) pip install --quiet --offline --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

$(VENV)/.bench: $(VENV)/.package requirements/bench.lock
	requirements/install.sh add requirements/bench.lock
	@touch $@
