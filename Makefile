SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo serve cloud format quick test test-engine engine-races engine-losses engine-hub engine-lives lives matrix coverage mutants fuzz-api api-examples diagrams recording screenshots clis lint package smoke rights checkov bench bench-all lock clean libahead

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# uv installs the locked packages in seconds; pip, which every Python has, installs uv.
.venv/ready: requirements-dev.txt requirements-uv.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.txt requirements-uv.txt
	touch $@

demo: .venv/ready ## Set up, then the whole life of a peering on this machine: plan, start, check, repair, rotation, removal
	$(BIN)/python -m local.run_demo

serve: .venv/ready ## The app on http://127.0.0.1:7071 against the local cloud; options in SERVE, such as SERVE="--scenario sixty --fresh"
	$(BIN)/python -m local.serve $(SERVE)

cloud: .venv/ready ## The local cloud alone, for az, avn or anything else
	$(BIN)/python -m local.cloud --scenario quick --directory .local

format: .venv/ready ## Format the code, and repair what the linter can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

quick: .venv/ready ## A first answer: the checks, and the tests of what is nearest to the code
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy .
	$(BIN)/pytest -q -n 2 -m "not slow and not engine" tests/unit tests/registry

# The files of few tests are those that take longest: they are not left to the end.
test: .venv/ready lint ## Set up, then all checks and tests
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

test-engine: .venv/ready node_modules/.package-lock.json libahead ## The workflows on the genuine engine (docs/testing.md)
	$(BIN)/pytest -n 2 --dist worksteal --engine genuine --timeout 600 $(PART) tests/workflows

GENUINE := .venv/ready node_modules/.package-lock.json libahead
PAIRS ?= 100
EVERY ?= 1
MOMENTS ?= 20
ROUNDS ?= 50

engine-races: $(GENUINE) ## Requests that meet, PAIRS=100 pairs of each kind; ARGS="--race deletes" runs one kind
	$(BIN)/python -m tests.engine.races --pairs $(PAIRS) $(ARGS)

engine-losses: $(GENUINE) ## Every worker call lost (EVERY=10 takes each tenth), engines killed at MOMENTS=20 moments
	$(BIN)/python -m tests.engine.losses --every $(EVERY) --moments $(MOMENTS) $(ARGS)

engine-hub: $(GENUINE) ## The task hub's size after one and after ROUNDS=50 sweeps, starts and removals
	$(BIN)/python -m tests.engine.hub --rounds $(ROUNDS) $(ARGS)

engine-lives: $(GENUINE) ## Random lives on the genuine engine, with killed engines and lost calls; options in LIVES
	$(BIN)/python -m tests.lives --engine genuine --count 30 $(LIVES)

# What the genuine engine needs beside itself: Azurite, and a library that moves a process's clock.
node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-fund --no-audit
	touch $@

libahead: .local/libahead.so

.local/libahead.so: tests/engine/source/ahead.c
	mkdir -p $(@D)
	gcc -shared -fPIC -O2 -o $@ $<

lives: .venv/ready ## Random lives on a hostile host, and the tests of a life under many seeds; options in LIVES
	$(BIN)/python -m tests.lives $(LIVES)

fuzz-api: .venv/ready ## 20,000 made-up requests to all routes, judged by the OpenAPI document; options in FUZZ
	$(BIN)/python -m tests.api $(FUZZ)

api-examples: .venv/ready ## The examples of the OpenAPI document, recorded from a life cycle on the local cloud
	$(BIN)/python -m local.api_examples

matrix: .venv/ready ## Every remote call under every fault; options in MATRIX, such as MATRIX="--shard 1/8"
	$(BIN)/python -m tests.matrix $(MATRIX)

coverage: .venv/ready ## Which lines of the deployed code no test reaches, and which tests reach the others (for make mutants)
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-context test --cov-report term-missing:skip-covered

mutants: .venv/ready .local/cosmic-ray/bin/cosmic-ray ## A change in each of some functions, and whether the tests notice it; options in MUTANTS (installs cosmic-ray)
	$(BIN)/python -m tests.mutations $(MUTANTS)

.local/cosmic-ray/bin/cosmic-ray:
	$(PYTHON) -m venv .local/cosmic-ray
	.local/cosmic-ray/bin/pip install --quiet --disable-pip-version-check cosmic-ray==8.7.0

diagrams: .venv/ready ## The diagrams of docs/design.md and the table of docs/problems.md, drawn from the code
	$(BIN)/python -m local.diagrams
	$(BIN)/python -m local.problems_table

screenshots: .venv/ready ## The screenshots of the page in docs/images/ (needs Chromium)
	$(BIN)/python -m tests.ui.screenshots

recording: .venv/ready ## The recordings of `peering apply` in docs/images/
	$(BIN)/python -m tests.command_line.recording

clis: .venv/ready ## The manual procedure of the help article by the genuine az and avn, compared with the app (installs azure-cli)
	$(BIN)/python -m tests.clis

lint: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .

package: .venv/ready ## What is deployed, as .local/package.zip, with the bytecode of what a start imports
	$(BIN)/python -m local.package

smoke: package ## The package, unpacked alone, carries out a start; says how large it is and how fast it is imported
	$(BIN)/python -m tests.smoke

rights: .venv/ready ## The rights of docs/security.md, and what becomes of a peering without each, as a table
	$(BIN)/python -m tests.workflows.rights

checkov: .venv/ready .local/checkov/bin/checkov ## What checkov finds in the deployments, compared with infra/checkov.md (installs checkov)
	CHECKOV=.local/checkov/bin/checkov $(BIN)/pytest -q tests/infra/test_checkov.py

.local/checkov/bin/checkov:
	$(PYTHON) -m venv .local/checkov
	.local/checkov/bin/pip install --quiet --disable-pip-version-check checkov==3.3.30

bench: .venv/ready ## The benchmarks
	$(BIN)/python -m bench

bench-all: .venv/ready ## The benchmarks, with those that take long
	$(BIN)/python -m bench --all

lock: .venv/ready ## Lock the dependencies of pyproject.toml again, with hashes
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --upgrade pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --upgrade --extra local --extra cli --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --upgrade --prerelease allow tests/clis/requirements.in -o tests/clis/requirements.txt
	echo uv | $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --upgrade - -o requirements-uv.txt

clean: ## Remove what was installed and written here
	rm -rf .venv .local node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
