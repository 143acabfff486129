# Every target sets up what it needs: Python >= 3.11 and make are all a machine must have.
PYTHON ?= python3
BIN := .venv/bin
# Compiled once, and not among the sources, whatever the machine's own habit is.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/pycache
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo cluster test test-long test-kafka check docs bench soak faults up lock clean
.DELETE_ON_ERROR:

$(BIN)/guantong: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更高版本 / Python 3.11 or newer is needed"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(BIN)/guantong
	@$(BIN)/python -m deploy.demo

cluster: $(BIN)/guantong
	@$(BIN)/python -m deploy.demo cluster --brokers $(or $(BROKERS),3)

test: $(BIN)/guantong
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not brokers and not long"

test-long: $(BIN)/guantong
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "long and not brokers"

test-kafka: $(BIN)/guantong
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m brokers

check: $(BIN)/guantong
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/guantong contract publish --check

docs: $(BIN)/guantong
	$(BIN)/python -m deploy.monitoring
	$(BIN)/python -m deploy.reference

bench: $(BIN)/guantong
	@$(BIN)/python -m tests.bench$(if $(FULL), && $(BIN)/python -m tests.bench.plans && $(BIN)/python -m tests.bench.costs)

soak: $(BIN)/guantong
	$(BIN)/pytest tests/e2e/test_kill.py --kills $(or $(KILLS),200) --timeout 7200 -s
	$(BIN)/pytest tests/generative/test_entitlement.py --decisions $(or $(DECISIONS),1000000) --timeout 7200 -s
	$(BIN)/pytest tests/contracts/compatibility/test_soundness.py --pairs $(or $(PAIRS),20000) --timeout 7200 --hypothesis-profile soak
	$(BIN)/pytest tests/contracts/test_accepted.py --draws $(or $(DRAWS),100000) --timeout 7200 --hypothesis-profile soak
	$(BIN)/pytest tests/generative/test_openapi.py --hypothesis-profile soak --timeout 7200
	$(BIN)/pytest tests/spec --everywhere -k "postgresql or kafka" --timeout 7200

faults: $(BIN)/guantong
	@$(BIN)/python -m tests.faults --seed $(or $(SEED),20261125) --minutes $(or $(MINUTES),0) --only '$(ONLY)'

up: $(BIN)/guantong
	$(BIN)/guantong up --data $(or $(DATA),./data) --listen $(or $(LISTEN),127.0.0.1:8470)

lock: $(BIN)/guantong
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-find-links --no-emit-index-url --custom-compile-command "make lock" pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-find-links --no-emit-index-url --custom-compile-command "make lock" --extra dev pyproject.toml --output-file requirements-dev.lock
	$(BIN)/python -m deploy.local.jars

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .demo .cluster
