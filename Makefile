# Needs Python 3.11 or newer and make; `make check` and `make test-contract` also Node 20, `make test-scale` Java 17.
# Nothing else: each target makes the environment that it needs. An active virtual environment is neither needed nor touched.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
SCALE_VENV := .venv-scale
NODE := .node
NODE_BIN := $(NODE)/node_modules/.bin
# Two tools of tests that bring much along: each has an environment of its own.
SCHEMATHESIS := .venv-schemathesis
MUTATION := .venv-mutation
REQUIREMENTS := tests/requirements
WORKERS ?= 2
# The build's time stamps: those of the last commit, so that the same commit gives the same bytes.
EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),315532800)
# The revision before a push, from the environment: names of tags and branches are read by the shell alone, as "$$BASE",
# since make would run what a name like "$$(shell …)" asks for. Before the first push of a branch it is all zeros.
BASE_OR = base="$${BASE:-$(1)}"; case "$$base" in *[!0]*) ;; *) base="$(1)" ;; esac
export PYTHONDONTWRITEBYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Whoever has an environment active still gets this one.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check generate check-generated test-contract drills soak mutation test-package test-min \
        test-newest test-scale bench build vendor diff-spec adopt-spec check-spec spec-summary spec-pull-request api-diff \
        api-symbols check-release lint types clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: none found on PATH"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: $(PYTHON) is older"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.demo: pyproject.toml $(REQUIREMENTS)/constraints.txt | $(VENV)/.made
	$(PY) -m pip install -q -e '.[all]' -c $(REQUIREMENTS)/constraints.txt
	@touch $@

$(VENV)/.dev: $(REQUIREMENTS)/dev.txt $(VENV)/.demo
	$(PY) -m pip install -q -r $(REQUIREMENTS)/dev.txt
	@touch $@

$(VENV)/.bench: $(REQUIREMENTS)/bench.txt $(VENV)/.dev
	$(PY) -m pip install -q -r $(REQUIREMENTS)/bench.txt
	@touch $@

$(SCALE_VENV)/.made: pyproject.toml $(REQUIREMENTS)/scale.txt | $(VENV)/.made
	$(PY) -m venv --clear $(SCALE_VENV)
	$(SCALE_VENV)/bin/python -m pip install -q -e '.[all]' -r $(REQUIREMENTS)/scale.txt
	@touch $@

$(SCHEMATHESIS)/.made: $(REQUIREMENTS)/schemathesis.txt | $(VENV)/.made
	$(PY) -m venv --clear $(SCHEMATHESIS)
	$(SCHEMATHESIS)/bin/python -m pip install -q -r $<
	@touch $@

$(MUTATION)/.made: pyproject.toml $(REQUIREMENTS)/constraints.txt $(REQUIREMENTS)/dev.txt $(REQUIREMENTS)/mutation.txt | $(VENV)/.made
	$(PY) -m venv --clear $(MUTATION)
	$(MUTATION)/bin/python -m pip install -q -e '.[all]' -r $(REQUIREMENTS)/dev.txt -r $(REQUIREMENTS)/mutation.txt
	@touch $@

$(NODE)/.made: tests/support/node/package.json
	@command -v npm >/dev/null || { echo "Node 20 with npm is needed for this target"; exit 1; }
	@mkdir -p $(NODE)
	cp $< $(NODE)/package.json
	npm install --prefix $(NODE) --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@

demo: $(VENV)/.demo ## the whole chain against the sandbox: list, create, page, export, Parquet
	@$(PY) -m adsecurity.sandbox.demo
	@echo 'One that stays, to try things yourself: . $(BIN)/activate && adsecurity sandbox'

test: $(VENV)/.dev ## the test suite, Python only, with branch coverage
	@mkdir -p .cache
	$(PY) -m pytest -n $(WORKERS) --dist worksteal -o cache_dir=.cache/pytest --cov --cov-report=term

check: lint types ## ruff, import contracts, mypy, pyright, spec lints, drift, lines per room
	$(PY) -m tests.support.size

lint: $(VENV)/.dev $(NODE)/.made
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(BIN)/lint-imports --no-logo --cache-dir .cache/import-linter
	$(PY) -m generator --lint
	$(PY) -m openapi_spec_validator specs/network.yaml specs/adsecurity.yaml
	REDOCLY_TELEMETRY=off $(NODE_BIN)/redocly lint --config .redocly.yaml network adsecurity
	$(PY) -m generator --check

types: $(VENV)/.dev $(NODE)/.made
	$(PY) -m mypy overrides/adsecurity generator generated/adsecurity_generated tests/typing/usage.py
	$(NODE_BIN)/pyright --pythonpath $(PY)
	$(PY) -m pytest -q -o cache_dir=.cache/pytest -m node tests/typing

generate: $(VENV)/.dev ## specs/ -> generated/
	$(PY) -m generator

check-generated: $(VENV)/.dev ## fails when generated/ is not what specs/ and generator/ give
	$(PY) -m generator --check

test-contract: $(VENV)/.dev $(NODE)/.made $(SCHEMATHESIS)/.made ## every operation against Prism, and the sandbox against schemathesis
	$(PY) -m pytest -o cache_dir=.cache/pytest tests/contract

drills: $(VENV)/.dev ## every fault with every job over real sockets, ONLY= picks rows: the table of what came of each
	$(PY) -m tests.worst_day "$$ONLY"

soak: $(VENV)/.dev ## much of everything, about five minutes: memory stays flat and nothing is left; PART= a part of it
	$(PY) -m tests.soak "$$PART"

mutation: $(MUTATION)/.made ## hours: whether the tests notice when the core is broken; ONLY= picks modules, EVERY=6 tries each sixth mutant
	$(MUTATION)/bin/python -m tests.mutation "$$ONLY" "$$EVERY"

bench: $(VENV)/.bench ## the table of speed goals, written to tests/bench/RESULTS.md; ONLY=rows,start for some rows of it
	$(PY) -m tests.bench $(if $(ONLY),--only "$$ONLY")
	$(if $(ONLY),,$(PY) -m pytest -q -o cache_dir=.cache/pytest tests/bench/test_command_speed.py)

build: $(VENV)/.dev ## sdist and wheel in dist/, the same bytes on every run
	rm -rf dist
	SOURCE_DATE_EPOCH=$(EPOCH) $(PY) -m build --no-isolation --outdir dist

check-release: build ## TAG=v1.2.3: the tag, the version, the changelog and generated/ agree
	$(PY) -m generator --check
	$(PY) -m tests.support.release "$$TAG" dist

test-package: build $(VENV)/.dev ## what needs minutes: the installed wheel, each extra, vendored copies, spec drills
	$(PY) -m tests.support.lane pinned dist/*.whl
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup -o cache_dir=.cache/pytest tests/installed

test-scale: $(SCALE_VENV)/.made ## Spark, dlt and Dask, in an environment of their own (Java 17)
	@command -v java >/dev/null || { echo "Java 17 is needed for this target"; exit 1; }
	@mkdir -p .cache
	$(SCALE_VENV)/bin/python -m pytest -o cache_dir=.cache/pytest --cov --cov-config=tests/scale/coverage.toml --cov-report=term tests/scale

test-min: build $(VENV)/.dev ## the public interface on the oldest versions that pyproject.toml admits
	$(PY) -m tests.support.lane min dist/*.whl

test-newest: build $(VENV)/.dev ## the public interface on the newest versions there are
	$(PY) -m tests.support.lane newest dist/*.whl

vendor: $(VENV)/.dev ## DEST=folder: both packages for another code base, below another root; NAMESPACE= names it
	@test -n "$(DEST)" || { echo "usage: make vendor DEST=path/to/_vendor [NAMESPACE=dotted.name]"; exit 2; }
	@$(PY) -m generator.release.vendoring "$(DEST)" $(if $(NAMESPACE),--namespace "$(NAMESPACE)")

api-diff: $(VENV)/.dev ## what the public interface gained, lost or changed since the last tag (or the committed list)
	@$(PY) -m tests.support.api diff

api-symbols: $(VENV)/.dev ## writes the list that `make api-diff` compares with
	@$(PY) -m tests.support.api write

# Braces, brackets and semicolons in these are text: the shell gets them from the environment, not from the command.
ANSWERS = $(if $(SURFACE),--surface $(SURFACE)) $(if $(ACCEPT),--accept "$$ACCEPT") $(if $(SKIP),--skip "$$SKIP") \
          $(if $(PREFER),--prefer $(PREFER))
export ACCEPT SKIP IDS ONLY

diff-spec: $(VENV)/.dev ## OFFICIAL=file: the vendor's own OpenAPI file against ours; SURFACE= picks one
	@test -n "$(OFFICIAL)" || { echo "usage: make diff-spec OFFICIAL=path [SURFACE=network|adsecurity]"; exit 2; }
	@$(PY) -m generator.official.diff "$(OFFICIAL)" $(ANSWERS)

adopt-spec: $(VENV)/.dev ## OFFICIAL=file: its routes and facts into specs/; ACCEPT= answers, SKIP= leaves out, PREFER=theirs
	@test -n "$(OFFICIAL)" || { echo "usage: make adopt-spec OFFICIAL=path [SURFACE=network|adsecurity] [ACCEPT='updateUser=PATCH /people/{id}; ...'] [SKIP='GET /ping; ...'] [PREFER=theirs]"; exit 2; }
	@$(PY) -m generator.official.adopt "$(OFFICIAL)" $(ANSWERS)

check-spec: $(VENV)/.dev ## BASE_URL=address SURFACE=name: ask the real server about our list and read routes
	@test -n "$(BASE_URL)" -a -n "$(SURFACE)" || { echo "usage: make check-spec BASE_URL=https://... SURFACE=network|adsecurity [IDS='integrationID=...']; the key in the surface's variable"; exit 2; }
	@$(PY) -m generator.official.check "$(BASE_URL)" --surface $(SURFACE) $(if $(IDS),--ids "$$IDS")

spec-summary: $(VENV)/.dev ## BASE=revision: what specs/ changed since then, for users; CHANGELOG=1 adds it there
	@$(call BASE_OR,HEAD); $(PY) -m generator.release.summary --base "$$base" $(if $(CHANGELOG),--changelog CHANGELOG.md)

spec-pull-request: generate ## BASE=revision: regenerate and, if anything changed, open a pull request with the summary
	@mkdir -p .cache
	$(call BASE_OR,HEAD~1); $(PY) -m generator.release.summary --base "$$base" --changelog CHANGELOG.md > .cache/summary.md
	@cat .cache/summary.md
	@if test -z "$$(git status --porcelain -- generated CHANGELOG.md)"; then echo "generated/ is up to date: no pull request"; else \
	  branch="regenerate-$$(git rev-parse --short HEAD)" && \
	  git switch -q -c "$$branch" && git add generated CHANGELOG.md && \
	  git commit -q -m "Regenerate from the specs" && git push -q origin "$$branch" && \
	  gh pr create --base "$${INTO:-main}" --head "$$branch" --title "Regenerate from the specs" --body-file .cache/summary.md; \
	fi

clean: ## removes everything that these targets made
	rm -rf $(VENV) .venv-* $(NODE) .cache dist .pytest_cache .hypothesis
