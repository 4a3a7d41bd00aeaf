# One command for each thing. All that is needed is make and Python 3.11 or newer with venv:
# everything else goes into .venv, which is made when it is missing or older than setup.cfg and
# pyproject.toml, and used as it is otherwise. Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
METADATA := setup.cfg pyproject.toml
# Client programs whose dependencies would not live beside ours, each in an environment of its own.
CLIENTS := $(patsubst tests/clients/environments/%.txt,.venv-%/.stamp,$(wildcard tests/clients/environments/*.txt))
# Those of node, where npm is there.
CLIENTS += $(if $(shell command -v npm),.node-clients/.stamp)
# The floors that every branch is tested of: the package without contrib.
CORE := wsgi_sigv4/*.py,wsgi_sigv4/command/*.py,wsgi_sigv4/errors/*.py,wsgi_sigv4/explain/*.py,wsgi_sigv4/providers/*.py
FUZZ_SECONDS ?= 300
# One session of nox for each interpreter that noxfile.py names.
PYTHONS := $(shell sed -n 's/^PYTHONS = //p' noxfile.py | tr -d '[],"')
WHEELS := $(or $(addprefix wheel-,$(PYTHONS)),$(error PYTHONS does not stand in one line of noxfile.py))
# What `make test` runs side by side, the longest nearly first, and how many at a time.
BESIDES := fast lint oldest $(WHEELS) clients bare
JOBS ?= 2

# These run in .venv alone, the other tests in every environment.
REST := slow or servers or clients or browser
PYTEST := PYTHONDEVMODE=1 $(BIN)/python -m pytest --cov --cov-report=

.DELETE_ON_ERROR:
ifndef SIDE_BY_SIDE
.NOTPARALLEL:
endif
.PHONY: help demo test lint unit fast rest matrix bare oldest $(WHEELS) clients fuzz mutants bench clean

help:
	@echo "make demo     start the example under gunicorn, send it good and bad requests, print what came back"
	@echo "make test     everything that must pass: lint, types, tests with coverage, wheel, other interpreters (JOBS=$(JOBS) at a time)"
	@echo "make lint     ruff check, ruff format --check and mypy alone"
	@echo "make unit     the tests alone, on the main interpreter (ARGS='-k name' goes to pytest)"
	@echo "make matrix   the built wheel on every interpreter found, and with the oldest frameworks"
	@echo "make fuzz     atheris for FUZZ_SECONDS=$(FUZZ_SECONDS) seconds"
	@echo "make mutants  mutmut over the core"
	@echo "make bench    what a verification costs; keeps page and chart in docs/ (ARGS='streaming memory': only those, and keeps nothing)"
	@echo "make clean    remove what the others made, environments included"

demo: .venv/.demo
	$(BIN)/python examples/demo.py

# What `unit` runs at once is cut in two here: the fast tests take one core, as does each of those beside them, and the
# rest have the machine to themselves. The package is built first, while nothing else writes to the checkout.
test: .venv/.test
	$(BIN)/nox -s build
	@echo "== $(JOBS) at a time, the output of each when it has ended: $(BESIDES)"
	$(MAKE) --jobs=$(JOBS) $(filter --output-sync,$(.FEATURES:%=--%)) SIDE_BY_SIDE=yes $(BESIDES)
	$(MAKE) rest
	@echo "== make test: all passed"

lint: .venv/.test
	@echo "== ruff check"
	$(BIN)/ruff check
	@echo "== ruff format --check"
	$(BIN)/ruff format --check
	@echo "== mypy"
	$(BIN)/mypy

unit: .venv/.test clients
	@echo "== pytest, with branch coverage"
	$(PYTEST) $(ARGS)
	$(COVERED)

fast: .venv/.test
	@echo "== pytest, with branch coverage: the fast tests"
	$(PYTEST) -m 'not ($(REST))'

rest: .venv/.test clients
	@echo "== pytest, with branch coverage: the tests that take long or start servers and clients"
	$(PYTEST) --cov-append -m '$(REST)'
	$(COVERED)

define COVERED
	$(BIN)/coverage report
	@echo "== coverage of $(CORE): every line and branch, unless ARGS chose some tests only"
	$(BIN)/coverage report --include='$(CORE)' --precision=2 --fail-under=$(if $(ARGS),0,100)
endef

matrix: .venv/.test
	@echo "== sdist and wheel; the wheel without extras; its tests on every interpreter found"
	$(BIN)/nox

bare oldest $(WHEELS): .venv/.test
	@echo "== the built wheel: $@"
	$(BIN)/nox -s $@

clients: $(CLIENTS)
	@command -v npm >/dev/null || echo "== SKIPPED the clients of node: there is no npm"

fuzz: .venv/.test
	@echo "== atheris, $(FUZZ_SECONDS) seconds"
	$(BIN)/nox -s fuzz -- $(FUZZ_SECONDS)

mutants: .venv/.test
	@echo "== mutmut over the core"
	$(BIN)/nox -s mutants

bench: .venv/.test .venv-peers/.stamp
	@echo "== benchmarks"
	$(BIN)/nox -s bench -- $(or $(ARGS),--save)

clean:
	rm -rf .venv .venv-* .nox .node-clients build dist *.egg-info mutants .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .fuzz

# FORCE where there is no .venv, or the interpreter it was made with has gone.
STALE := $(shell .venv/bin/python -c '' 2>/dev/null || echo FORCE)
.PHONY: FORCE

.venv/.made: $(STALE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed, and $(PYTHON) is not: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "== .venv: an environment for $$($(PYTHON) --version)"
	$(if $(STALE),rm -rf .venv)
	$(PYTHON) -m venv .venv
	touch $@

.venv/.demo: .venv/.made $(METADATA)
	@echo "== .venv: the package and what the demonstration needs"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	touch $@

.venv/.test: .venv/.made $(METADATA)
	@echo "== .venv: the package and what the tests need (about a minute)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,bench]'
	touch $@ .venv/.demo

.venv-%/.stamp: tests/clients/environments/%.txt
	@echo "== .venv-$*: a client with dependencies of its own"
	$(PYTHON) -m venv --clear .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

.venv-peers/.stamp: benchmarks/peers.txt
	@echo "== .venv-peers: the verifiers that the benchmark compares with"
	$(PYTHON) -m venv --clear .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

.node-clients/.stamp: tests/clients/environments/package.json
	@echo "== .node-clients: the clients of node"
	mkdir -p .node-clients
	cp $< .node-clients/package.json
	npm install --prefix .node-clients --no-package-lock --no-audit --no-fund --loglevel=error
	touch $@
