# Two commands on a fresh machine: `make demo` shows a round in the terminal and serves it as pages
# (SERVE=0: the terminal only), `make test` checks everything.
# The first call of either builds .venv from requirements.lock; later calls start at once.

VENV  := .venv
PY    := $(VENV)/bin/python
READY := $(VENV)/.ready

PYTEST := $(PY) -m pytest -n auto --maxprocesses 8 --cov --cov-report term

# The verifier is what everybody relies on: no branch of it goes untested.
VERIFIER_COVERED = missed=$$($(PY) -m coverage report --include=matcher/verify.py --fail-under=100) \
    || { echo "$$missed"; exit 1; }

# A virtual environment whose interpreter is gone (an upgraded system, a moved folder) is built anew.
$(shell test ! -e $(READY) || $(PY) -c '' 2>/dev/null || rm -f $(READY))

.PHONY: demo test test-full lint bench lock clean help

help:
	@echo '演示 make demo · 检验 make test · 全量检验 make test-full · 风格 make lint · 基准 make bench'
	@echo 'demo: a round from files to explained placements, then its pages (SERVE=0: without); test: lint, types, tests; bench: measurements'

demo: $(READY)
	@$(PY) -m matcher demo
	@test '$(SERVE)' = 0 || $(PY) -m flask --app web demo --serve

lint: $(READY)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

test: lint
	@$(PYTEST) -m 'not full'
	@$(VERIFIER_COVERED)

test-full: lint
	@PEER_MARKETS=5000 ORACLE_MARKETS=20000 PROVEN_SHARE=1 AGREEMENT_MARKETS=500 RESOLVES=1000 RACES=200 KILLS=100 LIFE=540 $(PYTEST)
	@$(VERIFIER_COVERED)

bench: $(READY)
	@$(PY) -m benchmarks

# Pins the newest releases that pyproject.toml allows, for every Python and system at once.
lock:
	@python3 -m venv .cache/uv && .cache/uv/bin/python -m pip install --quiet --upgrade uv
	@.cache/uv/bin/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
	    --upgrade --generate-hashes --no-strip-extras --no-emit-index-url --no-header --extra test --extra lint \
	    --extra fast --extra bench --extra build --extra web pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) .cache .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info

$(READY): requirements.lock pyproject.toml
	@found=''; for python in python3.13 python3.12 python3.11 python3; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        found=$$python; break; fi; done; \
	if test -z "$$found"; then \
	    echo '需要 Python 3.11 或更新版本，本机没有找到。Debian/Ubuntu 可运行：apt-get install python3 python3-venv' >&2; \
	    echo 'Python 3.11 or newer is needed and was not found here. On Debian or Ubuntu: apt-get install python3 python3-venv' >&2; \
	    exit 1; fi; \
	if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then \
	    package=$$($$found -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	    echo "$$found 缺少虚拟环境模块。请运行：apt-get install $$package" >&2; \
	    echo "$$found lacks the module for virtual environments. Please run: apt-get install $$package" >&2; \
	    exit 1; fi; \
	echo "首次运行：用 $$found 建立 $(VENV)，约需一分钟 / first run: building $(VENV) with $$found, about a minute"; \
	$$found -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
