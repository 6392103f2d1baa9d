# The front door. Every target stands on the `warehouse` command; see `make help`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WAREHOUSE := $(BIN)/warehouse
STAMP := $(VENV)/.installed

.PHONY: help demo test lint format types docs lock status clean up down install
help: ## Show the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

install: $(STAMP) ## Make .venv and install requirements.lock
$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@echo "Installing requirements.lock into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8' && $(BIN)/python -m uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -c 'import sysconfig, pathlib; pathlib.Path(sysconfig.get_path("purelib"), "warehouse.pth").write_text("$(CURDIR)/plugins\n")'
	@printf '#!%s\nfrom warehouse.cli import main\n\nmain()\n' "$(CURDIR)/$(BIN)/python" > $(WAREHOUSE) && chmod +x $(WAREHOUSE)
	@touch $(STAMP)

demo: $(STAMP) ## Run the next synthetic night through Airflow, Great Expectations, Splink, dbt and Postgres
	@$(WAREHOUSE) demo

test: $(STAMP) lint types ## Lint, types and every test against a real Postgres
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(STAMP) ## Check Python and SQL style, and that generated files are up to date
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/sqlfluff lint --processes 2 dbt_project/models dbt_project/macros
	@$(WAREHOUSE) contracts check

format: $(STAMP) ## Format Python
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

types: $(STAMP) ## Check types
	@$(BIN)/mypy

docs: $(STAMP) ## Write dictionary, dbt sources and suites from the contracts, and the products' charts from the live warehouse, if any
	@$(WAREHOUSE) contracts build
	@$(WAREHOUSE) products charts --if-live

lock: ## Resolve requirements.lock again from pyproject.toml, without index addresses
	@$(BIN)/python -m uv pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 --universal pyproject.toml --group dev -o requirements.lock

status: $(STAMP) ## What came, what ran, what is live
	@$(WAREHOUSE) status

up: ## Start the production-like services with docker compose
	docker compose up --build --detach

down: ## Stop them; their data stay
	docker compose down

clean: ## Stop the embedded server and remove everything make demo and make test made
	@test ! -x $(BIN)/python || $(WAREHOUSE) clean --yes
	@rm -rf $(VENV) .warehouse .pytest_cache .mypy_cache .ruff_cache dbt_project/target dbt_project/logs
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
