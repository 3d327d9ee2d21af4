# Everything from a bare checkout: `make demo` shows Huzhu at work, `make test` tests it, `make prove` tests it at length.
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin

.PHONY: install demo test test-compiled prove lint format faults planted mutation bench wheel tools helm

install: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: install
	$(BIN)/huzhu demo --out huzhu-demo

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest -m "not prove" -n 4 --dist loadfile --no-loadscope-reorder --durations=15

# The long forms: every fault on three brokers, 20,000 person-years, half of the planted bugs (docs/testing.md).
prove: PATIENT := -o faulthandler_timeout=1800
prove: install
	HUZHU_TEST_LONG=1 $(BIN)/python -m pytest $(PATIENT) -m "long or prove" tests/faults
	HUZHU_TEST_LONG=1 $(BIN)/python -m pytest $(PATIENT) -m "long or prove" -n 3 --dist worksteal --durations=15 --ignore tests/faults
	$(BIN)/python tests/planted/plant.py --tested --half

# The same tests over the compiled core: what the wheel installs comes before this folder.
COMPILED := $(CURDIR)/.cache/compiled
test-compiled: install
	rm -rf $(COMPILED)
	HUZHU_COMPILE=1 $(BIN)/python -m hatchling build -t wheel -d $(COMPILED)
	$(BIN)/python -m zipfile -e $(COMPILED)/*.whl $(COMPILED)/installed
	HUZHU_TEST_COMPILED=1 PYTHONSAFEPATH=1 PYTHONPATH=$(COMPILED)/installed:$(CURDIR) \
	    $(BIN)/python -m pytest -m "not prove" -n 4 --dist loadfile --no-loadscope-reorder --durations=15

# A wheel with a compiled core, in dist/ (docs/operations.md).
wheel: install
	HUZHU_COMPILE=1 $(BIN)/python -m hatchling build -t wheel

# What checks the files that run Huzhu, in .cache/tools; without it, tests that need it are skipped. Helm takes Go, and minutes.
TOOLS := $(CURDIR)/.cache/tools
tools:
	test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
helm: tools
	GOBIN=$(TOOLS)/bin go install helm.sh/helm/v3/cmd/helm@v3.22.0

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The long form of the fault tests: about an hour, figures for docs/guarantees.md.
faults: install
	HUZHU_TEST_LONG=1 HUZHU_FAULTS=long HUZHU_SIM_RUNS=1000 $(BIN)/python -m pytest -o faulthandler_timeout=20000 -s tests/faults tests/simulation

# Plants every known bug and says which test caught it (docs/planted-bugs.md).
planted: install
	$(BIN)/python tests/planted/plant.py
	$(BIN)/python -m tests.simulation.planted

# Mutation testing of the arithmetic (docs/mutation.md), in an environment of its own: mutmut wants a newer click than Faust.
MUTATION := .cache/mutation
mutation:
	test -x $(MUTATION)/bin/mutmut || ( $(PYTHON) -m venv $(MUTATION) \
	    && $(MUTATION)/bin/pip install --quiet --require-hashes -r requirements/dev.txt \
	    && $(MUTATION)/bin/pip install --quiet mutmut==3.8.1 )
	HUZHU_TEST_PERSON_YEARS=300 HUZHU_TEST_SHRINK=0 $(MUTATION)/bin/mutmut run
	$(MUTATION)/bin/mutmut results

# Beside its peers, half an hour on two quiet cores: writes docs/performance.md.
bench: install
	$(BIN)/python -m tests.bench
