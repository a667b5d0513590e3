# Every target sets itself up: the virtual environment is made when it is missing or pyproject.toml has changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check bench clean

demo: $(VENV)/.installed
	$(BIN)/langscape entropy2vec --recipe demo --run runs/demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pip check --disable-pip-version-check

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/encoding.py
	$(BIN)/python benchmarks/streaming.py
	$(BIN)/python benchmarks/lm_scoring.py
	$(BIN)/python benchmarks/lm_training.py
	$(BIN)/python benchmarks/stacked.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/grid_overhead.py
	$(BIN)/python benchmarks/trees.py
	$(BIN)/python benchmarks/sweep.py
	$(BIN)/python benchmarks/tagging.py
	$(BIN)/python benchmarks/masks.py
	$(BIN)/python benchmarks/mining.py
	$(BIN)/python benchmarks/pretraining.py
	$(BIN)/python benchmarks/finetuning.py
	$(BIN)/python benchmarks/tuning_grid.py
	$(BIN)/python benchmarks/translation.py
	$(BIN)/python benchmarks/losses.py
	$(BIN)/python benchmarks/scheduler.py

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed, $(PYTHON) is older; try: make PYTHON=python3.11"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable '.[dev]'
	touch $@
