PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: optimize test check check-slow bench install clean

# the main job: EDAP-optimal SRAM, STT-MRAM and SOT-MRAM caches at 3 MB
optimize: $(VENV)/installed
	$(BIN)/dse optimize

# the tests
test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m "not slow" --numprocesses logical --maxprocesses 4 --dist loadfile

# what continuous integration runs
check:
	bash .ci/run

check-slow: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m slow

# designs per second and peak memory
bench: $(VENV)/installed
	$(BIN)/python -m dse.studies.cache.bench

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
