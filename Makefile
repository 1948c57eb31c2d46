PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL ?= $(BIN)/python -m pip install --quiet
# processes of the tests: one more than cores, since some of them wait
TESTERS ?= $(shell $(PYTHON) -c "import os; print(min(os.cpu_count() + 1, 5))")
# slow ones compute all the time, and some take gigabytes
SLOW_TESTERS ?= 2
LOWEST ?= .venv-lowest
SAMPLE := tests/engine/test_exact.py tests/engine/test_formula.py tests/engine/test_storage.py tests/engine/test_plot.py \
	tests/engine/test_run_folder.py tests/array/test_reference_points.py tests/workers/test_leases.py

.PHONY: optimize test check check-slow check-lowest bench docs gallery install clean

# the main job: EDAP-optimal SRAM, STT-MRAM and SOT-MRAM caches at 3 MB
optimize: $(VENV)/installed
	$(BIN)/dse optimize

# the tests
test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m "not slow" --numprocesses $(TESTERS) --dist loadfile

# what continuous integration runs
check:
	bash .ci/run

# an hour and a half: two processes, and the one that is done first takes over what the other has left
check-slow: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m slow --numprocesses $(SLOW_TESTERS) --dist worksteal

# a sample of the tests with the lowest versions that pyproject.toml declares
check-lowest:
	$(PYTHON) -m venv $(LOWEST)
	$(PYTHON) tests/lowest_versions.py postgresql > $(LOWEST)/constraints.txt
	$(LOWEST)/bin/python -m pip install --quiet --constraint $(LOWEST)/constraints.txt ".[postgresql]" pytest hypothesis
	$(LOWEST)/bin/python -m pytest -m "not slow" -p no:cacheprovider $(SAMPLE)

# designs per second and peak memory
bench: $(VENV)/installed
	$(BIN)/python -m dse.studies.cache.bench

# the documents as a site, without a warning
docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict --site-dir site

# the pictures of the gallery and of README
gallery: $(VENV)/installed
	$(BIN)/python docs/gallery.py

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(INSTALL) --editable ".[dev]"
	touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(INSTALL) --editable ".[docs]"
	touch $@

clean:
	rm -rf $(VENV) $(LOWEST) build site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
