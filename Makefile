# Needs GNU make and Python 3.11 or later; `make check` also npm and git. Everything installed stays in this folder, but for
# what the tools of other languages keep in caches of their own.
# ARGS is handed on: make test ARGS="tests/unit -k slots", make run ARGS=--help.

ARGS =
# Many tests wait more than they compute.
WORKERS = $(shell expr $$(nproc 2>/dev/null || echo 2) + 2)
PY = .venv/bin/python
# Those whose clients have programs of their own to build and check them.
LANGUAGES = typescript go java rust cpp
SOURCES = $(wildcard clients/python/slotd server/slotd_server tests bench examples)

# Else each of the hundreds of processes that the tests start would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL = help
.DELETE_ON_ERROR:

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

## Use

.PHONY: setup
setup: .venv/.installed ## Install slotd and its tools into .venv, quick when that is done

.PHONY: run
run: setup ## Start the service and put a batch of real jobs through it
	$(PY) examples/run.py $(ARGS)

.PHONY: test
test: setup .venv-proto/.installed ## Run the tests, some files at once (WORKERS=0: one after the other)
	$(PY) -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(ARGS)

.PHONY: languages
languages: setup .venv-proto/.installed languages-build ## Play the conformance scenario in every language, and check each client
	$(PY) -m pytest tests/languages --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(ARGS)

.PHONY: languages-build $(LANGUAGES:%=build-%)
languages-build: $(LANGUAGES:%=build-%) ## Build the clients in other languages, as far as their toolchains are there

# A program that lacks its toolchain says so, and exits with 77; the tests then skip that language.
$(LANGUAGES:%=build-%): build-%:
	clients/$*/build || test $$? -eq 77

.PHONY: check
check: check-style check-types check-layers check-stubs check-protos check-clients ## Run all static checks, each also on its own:

.PHONY: check-style
check-style: setup ## - ruff: lint and format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

.PHONY: check-types
check-types: setup ## - mypy, strict
	$(PY) -m mypy $(SOURCES)
	$(PY) -m mypy $(wildcard .ci/*.py)

.PHONY: check-layers
check-layers: setup ## - import-linter: who may import whom
	$(PY) .venv/bin/lint-imports --no-logo

.PHONY: check-stubs
check-stubs: .venv-proto/.installed ## - the committed stubs, and the description of HTTP, are those of protos/
	.venv-proto/bin/python .ci/stubs.py --check
	.venv-proto/bin/python .ci/openapi.py --check

.PHONY: check-protos
check-protos: .venv-proto/.installed ## - Buf: format, lint, nothing breaks what main promises (BASE=REVISION)
	BASE=$(BASE) .ci/buf

.PHONY: check-clients $(LANGUAGES:%=check-%)
check-clients: $(LANGUAGES:%=check-%) check-dashboard ## - the clients in other languages, and the page: formatter, linter, types, unit tests, stubs

$(LANGUAGES:%=check-%): check-%: build-% .venv-proto/.installed
	clients/$*/check || { test $$? -eq 77 && test -z "$$SLOTD_FORBID_SKIPS"; }

.PHONY: check-dashboard
check-dashboard: check-typescript # whose packages it shares
	clients/dashboard/check || { test $$? -eq 77 && test -z "$$SLOTD_FORBID_SKIPS"; }

## Change

.PHONY: page
page: ## Build the dashboard's page, which is committed, as the service serves it
	clients/dashboard/build

.PHONY: proto
proto: .venv-proto/.installed ## Generate the stubs in clients/python, and openapi.json, from protos/
	.venv-proto/bin/python .ci/stubs.py
	.venv-proto/bin/python .ci/openapi.py

.PHONY: format
format: setup ## Format the code and mend what ruff can
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

.PHONY: lock
lock: ## Write requirements-dev.lock anew, from the newest versions
	rm -rf build/lock
	$$(.ci/find-python) -m venv build/lock
	build/lock/bin/python -m pip install --quiet '.[dev]'
	{ sed '/^[^#]/,$$d' requirements-dev.lock; build/lock/bin/python -m pip freeze --exclude slotd; } >build/lock/lock
	cp build/lock/lock requirements-dev.lock

.PHONY: screenshots
screenshots: setup ## Take the pictures of docs/images, where there is Chromium
	$(PY) -m tests.dashboard.screenshots

## Measure and torment

.PHONY: bench
bench: setup ## Measure against a bare gRPC service: a table, JSON and a plot
	$(PY) -m bench $(ARGS)

.PHONY: bench-quick
bench-quick: setup ## The same, small and rough, in a minute or two
	$(PY) -m bench --quick $(ARGS)

.PHONY: crash
crash: setup ## Kill the service at random, for a long time, and count what is lost
	$(PY) -m pytest tests/faults --long --timeout=7200 $(ARGS)

.PHONY: faults
faults: setup ## Kill, cut off, pause and starve the service for minutes, and check every history
	$(PY) -m tests.faults.suite $(ARGS)

.PHONY: faults-long
faults-long: setup ## The same for hours
	$(PY) -m tests.faults.suite --long $(ARGS)

.PHONY: simulation
simulation: setup ## Run servers under a seeded scheduler, in virtual time, for many more seeds than `make test`
	$(PY) -m pytest tests/simulation --long --timeout=7200 $(ARGS)

.PHONY: test-floors
test-floors: build/floors/.installed .venv-proto/.installed ## Run what users import on the oldest versions that pyproject.toml admits
	build/floors/bin/python -m pytest -p no:cacheprovider $(wildcard tests/client tests/cli tests/fundamentals tests/testing tests/top tests/tracing tests/web) \
		tests/examples/test_shop.py tests/languages/test_vendors.py $(ARGS)

.PHONY: clean
clean: ## Remove what the above has made, the virtual environments too
	rm -rf clients/typescript/node_modules clients/typescript/dist clients/typescript/out clients/go/bin
	rm -rf clients/dashboard/node_modules clients/dashboard/out
	rm -rf clients/java/target clients/java/*/target clients/rust/target clients/cpp/out
	rm -rf .venv .venv-proto .ci/node_modules build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment is as new as its stamp; the stamp is written last, so a broken installation is made again.

.venv/.installed: requirements-dev.lock pyproject.toml
	python=$$(.ci/find-python) && { test -x $(PY) || "$$python" -m venv .venv; }
	$(PY) -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv-proto/.installed: .ci/requirements-proto.txt
	python=$$(.ci/find-python) && { test -x .venv-proto/bin/python || "$$python" -m venv .venv-proto; }
	.venv-proto/bin/python -m pip install --quiet --disable-pip-version-check --requirement .ci/requirements-proto.txt
	@touch $@

# Made anew each time that the code may have changed: it installs the wheel as a user gets it, first with nothing but the
# client's own needs, which must do for the client.
.PHONY: build/floors/.installed
build/floors/.installed: setup
	rm -rf build/floors
	$$(.ci/find-python) -m venv build/floors
	$(PY) .ci/floors.py >build/floors/constraints.txt
	build/floors/bin/python -m pip install --quiet --disable-pip-version-check -c build/floors/constraints.txt .
	build/floors/bin/python -W error -c 'from slotd import *; print("The client imports with its own needs alone.")'
	build/floors/bin/python -m pip install --quiet --disable-pip-version-check -c build/floors/constraints.txt \
		'.[testing,postgres,web,traces]' grpcio-testing hypothesis pytest-asyncio pytest-timeout
	build/floors/bin/python -m pip list --disable-pip-version-check | grep -i -E '^(grpc|protobuf|google|click|rich|structlog)'
