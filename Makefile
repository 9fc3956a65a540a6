# The commands of the project. `make run` and `make test` are all a fresh machine needs: Python 3.11 or newer with venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One a core of the smallest machine it is meant for; some tests keep time and would miss it among more.
WORKERS ?= 2
# Tests start hundreds of short programs: what one compiled, the next finds, whatever the machine says.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-virtualenv

.PHONY: run test check fmt bench faults hostile fuzz audit browser binary sbom screenshots lock codemirror
.DELETE_ON_ERROR:

run: $(VENV)/.run
	@exec $(BIN)/parley serve $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@for platform in linux darwin win32; do \
	  echo "mypy --platform $$platform"; $(BIN)/mypy --platform $$platform || exit 1; done
	$(BIN)/python -m pytest -q tests/test_layers.py tests/test_project.py

fmt: $(VENV)/.dev
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench $(ARGS)

# The sizes of docs/reliability.md, eight minutes on two cores; .ci/run runs the small form (without --full). What each printed
# comes at the end. Half of the time they wait, so there is one more than cores.
faults: $(VENV)/.dev
	$(BIN)/python -m pytest -n 3 --dist load --maxschedchunk 1 -rP --durations=20 tests/faults --full $(ARGS)

# Made-up requests to every operation of the API, 100 of each instead of none, every text of tests/corpora, and long walks
# of the machines and made-up updates and documents, which `.ci/run` leaves out: the suite has short ones.
WALKS ?= tests/stateful tests/bot/test_bounds.py tests/bot/test_forms.py tests/bot/test_source.py tests/test_changes.py tests/connectors/test_contract.py tests/connectors/test_telegram_samples.py
hostile: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests/api/test_hostile.py tests/api/test_naughty.py tests/api/test_injection.py $(WALKS) --hypothesis-profile=hostile $(ARGS)

# `make fuzz ARGS="cloud 600"`: one target for so many seconds. Its library is for Linux on x86-64 and stands apart.
fuzz: $(VENV)/.dev .cache/fuzz/.installed
	PYTHONPATH=.cache/fuzz/lib $(BIN)/python -m tests.fuzz $(ARGS)

.cache/fuzz/.installed: tests/fuzz/requirements.txt
	$(PIP) --require-hashes --target .cache/fuzz/lib -r tests/fuzz/requirements.txt
	@touch $@

browser: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests/browser $(ARGS)

screenshots: $(VENV)/.dev
	$(BIN)/python -m tests.browser.screenshots docs/screenshots

# The bundle that app/static/vendor/README.md records; needs npm, and only when a version changes.
codemirror:
	cd build/codemirror && npm ci --ignore-scripts --no-fund --no-audit && npx esbuild entry.js --bundle --minify \
	  --format=iife --global-name=CodeMirror --target=es2022 --legal-comments=none \
	  --outfile=../../app/static/vendor/codemirror.min.js
	sha256sum app/static/vendor/codemirror.min.js

# One folder and its archive in dist/; see docs/decisions/0007-one-folder.md. `make binary WEB=0`: without WhatsApp as a
# linked device, and so without the terms of its library (docs/licences.md).
binary: $(VENV)/.dev
	$(BIN)/pyinstaller --noconfirm --log-level WARN --workpath .cache/pyinstaller --distpath dist build/parley.spec
	$(BIN)/python build/pack.py dist/parley

# What the binary and an installation are made of, for programs that look for known holes; docs/security.md.
sbom: $(VENV)/.dev
	@mkdir -p dist
	$(BIN)/python build/sbom.py > dist/parley.cdx.json

# Known holes in what is locked; needs the internet, and fails where any package could not be looked up.
audit: $(VENV)/.dev
	$(BIN)/python build/audit.py

# Newest versions that pyproject.toml allows, for every platform, with hashes and without any address.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header --extra mcp --extra postgres --extra s3 --extra web --group install
lock: $(VENV)/.dev
	$(COMPILE) $(ARGS) pyproject.toml --output-file requirements/run.txt
	$(COMPILE) $(ARGS) --group dev --constraints requirements/run.txt pyproject.toml --output-file requirements/dev.txt

# Set-up. A stamp is as old as the lock it installed, so nothing is done twice; the dev lock holds the run lock.
$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Parley needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/pyvenv.cfg
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# Not compiled: most of the tools' modules are never imported, and the others are compiled when they are.
$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/pyvenv.cfg
	$(PIP) --no-compile --require-hashes -r requirements/dev.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.run $@
