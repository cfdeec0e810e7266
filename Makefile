# Everything runs in a virtual environment of the checkout's own. requirements.lock is what running
# needs; requirements-dev.lock is all of that and what developing needs. Nothing is resolved when
# they are installed, so that nothing published later can break a set-up.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
DEVELOP := $(VENV)/.ready-dev
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes

.PHONY: demo test test-long coverage lint bench serve generate twin mutants lock help clean

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(READY) ## Play the three families end to end, on the embedded default (ARGS=--all for more)
	@$(RUN) -m flagservice demo $(ARGS)

test: $(DEVELOP) ## Every test but the long ones, on SQLite and on a real PostgreSQL
	@$(RUN) -m tests.run $(ARGS)

test-long: $(DEVELOP) ## The long ones: many kills, every order, every fault, whole spaces
	@$(RUN) -m tests.run long

coverage: $(DEVELOP) ## The floors that decide what is disclosed, held to full branch coverage
	@$(RUN) -m tests.run coverage

lint: $(DEVELOP) ## Style, types and the floors of the house
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

bench: $(DEVELOP) ## Speed and memory beside their targets, measured in one run (ARGS=--quick to try it)
	@$(RUN) -m tests.benchmarks $(ARGS)

twin: $(DEVELOP) ## Three services that differ inside, asked by outsiders (TRACES=40 SEED=1)
	@$(RUN) -m tests.twin

mutants: $(DEVELOP) ## Seeded leaks and broken controls, each to be caught by its test
	@$(RUN) -m tests.mutants $(ARGS)

serve: $(READY) ## The service on SQLite below var/, with its delivery worker inside
	@$(RUN) -m flagservice serve

generate: $(DEVELOP) ## Write what is generated: the API's description, the examples
	@$(RUN) -m tests.generated

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) from $<"
	@$(INSTALL) -r $<
	@$(RUN) -m pip check --quiet
	@touch $@

$(DEVELOP): requirements-dev.lock $(READY)
	@echo "adding to $(VENV) what is in $<"
	@$(INSTALL) -r $<
	@$(RUN) -m pip check --quiet
	@touch $@

lock: $(DEVELOP) ## Resolve both locks anew (needs uv on the path)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group dev --constraints requirements.lock pyproject.toml --output-file requirements-dev.lock

clean: ## Remove what was set up
	rm -rf $(VENV) var tests/clients/node_modules .benchmarks .import_linter_cache .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
