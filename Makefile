# Everything a person or CI runs. `make setup` is quick when nothing is missing, so the other targets call it.
PYTHON := .venv/bin/python
SCREEN := xvfb-run -a -s "-screen 0 1600x1000x24 -dpi 96"

.PHONY: setup run test verify peers backends lint format bench freeze docs clean

setup:
	@bash installer/set-up.sh

# Without a display: the same job headless, in the first folder of out/demo, out/demo-2, ... that is not there yet.
run: setup
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then exec $(PYTHON) -m uniem gui --sample; fi; \
	folder=out/demo; n=2; while [ -e $$folder ]; do folder=out/demo-$$n; n=$$((n + 1)); done; \
	echo "There is no display, so the same job runs without a window, in $$folder."; \
	$(PYTHON) -m uniem demo $$folder

# Two processes: TensorFlow and the OpenGL of VTK bring different LLVM libraries, which crash in one.
test: setup
	@$(SCREEN) $(PYTHON) -m pytest -m "not slow" --ignore=tests/gui
	@$(SCREEN) $(PYTHON) -m pytest -m "not slow" tests/gui

verify: setup
	@$(SCREEN) $(PYTHON) -m pytest --ignore=tests/gui
	@$(SCREEN) $(PYTHON) -m pytest tests/gui

# Other projects' readers, in an environment of their own, say whether our files are what we say they are.
peers: setup
	@bash installer/set-up.sh peers
	@$(PYTHON) -m pytest tests/peers

# Networks by PyTorch, in an environment without TensorFlow; then both frameworks with each other's models.
backends: setup
	@bash installer/set-up.sh torch
	@KERAS_BACKEND=torch .venv-torch/bin/python -m pytest tests/networks $(wildcard tests/operations/test_*training*.py \
		tests/operations/test_inference*.py tests/operations/test_*port_model.py)
	@$(PYTHON) -m pytest tests/frameworks

lint: setup
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --config setup.cfg

format: setup
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

bench: setup
	@$(SCREEN) $(PYTHON) -m benchmarks

freeze: setup
	@$(SCREEN) $(PYTHON) installer/freeze.py

docs: setup
	@$(PYTHON) -m docs.generate

clean:
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
