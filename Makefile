# Everything runs in a virtual environment of the checkout's own, made from requirements.lock.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready

.PHONY: demo test lint bench serve generate twin mutants help clean

help: ## What there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(READY) ## Play the three families end to end, on the embedded default
	@$(RUN) -m flagservice demo

test: $(READY) ## Every test, on SQLite and on a real PostgreSQL
	@$(RUN) -m tests.run $(ARGS)

lint: $(READY) ## Style, types and the floors of the house
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

bench: $(READY) ## Speed and memory beside their targets, measured in one run (ARGS=--quick to try it)
	@$(RUN) -m tests.benchmarks $(ARGS)

twin: $(READY) ## Three services that differ inside, asked by outsiders (TRACES=40 SEED=1)
	@$(RUN) -m tests.twin

mutants: $(READY) ## Seeded leaks and broken controls, each to be caught by its test
	@$(RUN) -m tests.mutants $(ARGS)

serve: $(READY) ## The service on SQLite below var/, with its delivery worker inside
	@$(RUN) -m flagservice serve

generate: $(READY) ## Write what is generated: the API's description, the examples
	@$(RUN) -m tests.generated

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) from requirements.lock"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

clean: ## Remove what was set up
	rm -rf $(VENV) var tests/clients/node_modules .benchmarks .import_linter_cache .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
