# Driftwatch: `make demo` shows a simulated week, `make test` runs every test. Both set up what they need in .venv.
SHELL := bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.10; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' && echo $$p && break; done)
UV_VERSION := 0.13.9
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never
STARTED := $(shell date +%s.%N)

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

.venv/installed: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Driftwatch needs Python 3.10, 3.11 or 3.12 (whylogs has no wheels for newer ones); none is on the PATH"; exit 1; }
	@echo "Installing the locked requirements into .venv (about a minute, once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=.venv $(BIN)/uv pip sync --quiet --compile-bytecode requirements.txt
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --editable .
	@$(BIN)/python -c 'from driftwatch.images.kernels import blocks, grey, hamming, huffman, markers, rgb, stuffing' # compiled now, once, and kept
	@touch $@

install: .venv/installed ## Create .venv from the locked requirements

demo: .venv/installed ## A simulated week, from drift to a better model (PHOTOS=<folder of classes> for real photos, PREDICTIONS=onnx|logged, LABELS=label_studio|desk|table, BROKEN=door-1|door-2|door-3)
	@$(if $(filter label_studio,$(LABELS)),$(MAKE) --no-print-directory label-studio-server)
	@DRIFTWATCH_STARTED=$(STARTED) $(BIN)/python -m driftwatch_sandbox.demo $(if $(PHOTOS),--photos "$(PHOTOS)") $(if $(PREDICTIONS),--predictions "$(PREDICTIONS)") $(if $(LABELS),--labels "$(LABELS)") $(if $(BROKEN),--broken "$(BROKEN)")

try: .venv/installed ## Your own classifier with stand-ins: MONITOR=<file> IMAGES=<folder of classes> [MODEL=<.keras, .onnx, .h5 or SavedModel>]
	@test -n "$(MONITOR)" -a -n "$(IMAGES)" || { echo "make try MONITOR=my.yaml IMAGES=<folder>, where IMAGES has <class>/<file>; MODEL=model.keras imports yours"; exit 2; }
	@DRIFTWATCH_STARTED=$(STARTED) $(BIN)/python -m driftwatch_sandbox.demo --try "$(MONITOR)" --images "$(IMAGES)" $(if $(MODEL),--model "$(MODEL)")

check: .venv/installed ## Validate a monitor file, and what a day of it would cost: FILE=<file>
	@test -n "$(FILE)" || { echo "make check FILE=include/monitors/<name>.yaml"; exit 2; }
	@$(BIN)/driftwatch check "$(FILE)"

ui: .venv/installed ## Airflow's UI on what the demo left, or OF=try; prints the login
	@$(BIN)/python -m driftwatch_sandbox.demo --serve $(if $(OF),--of "$(OF)")

label: .venv/installed ## The labelling page on images of the demo, or OF=try; prints the address and the tokens
	@$(BIN)/python -m driftwatch_sandbox.demo --label $(if $(OF),--of "$(OF)")

# Real servers, each in an environment of its own: their packages go with none of ours. Without them their tests are skipped.
# $(call server-venv,<folder>) makes one of the pinned packages in the target's first prerequisite.
define server-venv
	@$(BIN)/uv venv --quiet --clear --python "$$(command -v $(PYTHON))" $(1)
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(1)/bin/python $<
	@touch $@
endef
MODEL_SERVERS := mlserver kserve

var/model-servers/%/installed: tests/model_servers/%.txt | .venv/installed
	@echo "Installing $* into var/model-servers (some seconds, once), for the tests that ask it"
	$(call server-venv,var/model-servers/$*)

model-servers: $(MODEL_SERVERS:%=var/model-servers/%/installed) ## Install the model servers that the tests ask

var/mlflow/installed: tests/mlflow_server/mlflow.txt | .venv/installed
	@echo "Installing an MLflow server into var/mlflow (a minute, once), for the tests that ask it"
	$(call server-venv,var/mlflow/venv)

mlflow-server: var/mlflow/installed ## Install the MLflow server that the tests ask

desk: .venv/installed ## The labelling desk on this machine for a monitor whose labels.backend is desk: MONITOR=<file>
	@test -n "$(MONITOR)" || { echo "make desk MONITOR=my.yaml, whose section labels has backend: desk"; exit 2; }
	@$(BIN)/python -m driftwatch_servers.desk local --monitor "$(MONITOR)"


var/label-studio/installed: tests/label_studio_server/label_studio.txt tests/label_studio_server/server.py | .venv/installed
	@echo "Installing a Label Studio into var/label-studio and making its database (two minutes, once), for the tests that ask it"
	@$(BIN)/uv venv --quiet --clear --python "$$(command -v $(PYTHON))" var/label-studio/venv
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python var/label-studio/venv/bin/python $<
	@$(BIN)/python -m tests.label_studio_server.running
	@touch $@

label-studio-server: var/label-studio/installed ## Install the Label Studio that the tests ask

var/azurite/installed: tests/azure_server/package.json
	@command -v npm >/dev/null || { echo "Azurite needs Node.js and npm; neither make nor .ci/run installs them"; exit 1; }
	@echo "Installing Azurite into var/azurite (a minute, once), for the tests of az://"
	@mkdir -p var/azurite && cp $< var/azurite/ && cd var/azurite && npm install --silent --no-audit --no-fund
	@touch $@

azure-server: var/azurite/installed ## Install the emulator of Azure Blob Storage that the tests ask (needs npm)

test: .venv/installed ## Lint, types, and the whole test suite
	@$(MAKE) --no-print-directory model-servers || echo "There are no model servers, so the tests that ask them are skipped"
	@$(MAKE) --no-print-directory mlflow-server || echo "There is no MLflow server, so the tests that ask it are skipped"
	@$(MAKE) --no-print-directory label-studio-server || echo "There is no Label Studio, so the tests that ask it are skipped"
	@$(MAKE) --no-print-directory azure-server || echo "There is no Azurite, so the tests of az:// are skipped"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@# Three workers on two cores: each has one thread, and a real Airflow often waits.
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --durations=20

# What has the mark all_faults; what starts an Airflow of its own stands first, whole and alone.
test-faults: .venv/installed ## Every fault at every call, a kill at every point, a worker that dies, retraining on real photos; writes docs/fault-matrix.md
	@$(MAKE) --no-print-directory label-studio-server || echo "There is no Label Studio, so the tests that ask it are skipped"
	@$(BIN)/python -m pytest tests/end_to_end --all-faults
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m all_faults --ignore tests/end_to_end --all-faults --write-fault-matrix docs/fault-matrix.md

test-outages: .venv/installed ## Kills each part of Airflow, and restarts Postgres, in the middle of a day; writes docs/benchmarks/outages.md
	@$(BIN)/python -m pytest tests/end_to_end/test_outages.py --outages --write-outages docs/benchmarks/outages.md

var/bench/venv/installed:
	@$(PYTHON) -m venv var/bench/venv
	@var/bench/venv/bin/python -m pip install --quiet --disable-pip-version-check "evidently==0.7.23" "nannyml==0.13.1" "whylogs==1.6.4" ipython "numpy<2" "pandas<3" "pyarrow<22"
	@touch $@

# Its monitors are plain Python with NumPy, and run here though it asks for Python 3.12.
var/bench/glide/installed: .venv/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python --target var/bench/glide "glide-py==0.11.0"
	@touch $@

bench-judgement: .venv/installed var/bench/venv/installed var/bench/glide/installed ## How often verdicts are right, on ../shared: tables in docs/benchmarks/judgement
	@$(BIN)/python -m bench.judgement.drift_data
	@$(BIN)/python -m bench.judgement.drift alarms
	@$(BIN)/python -m bench.judgement.drift power
	@$(BIN)/python -m bench.judgement.drift bursts
	@var/bench/venv/bin/python bench/judgement/drift_rivals.py
	@$(BIN)/python -m bench.judgement.drift page
	@$(BIN)/python -m bench.judgement.performance
	@$(BIN)/python -m bench.judgement.performance_year
	@$(BIN)/python -m bench.judgement.performance_classes
	@$(BIN)/python -m bench.judgement.performance_versions
	@$(BIN)/python -m bench.judgement.sampling
	@$(BIN)/python -m bench.judgement.gate
	@$(BIN)/python -m bench.judgement.gate_evidence
	@$(BIN)/python -m bench.judgement.predictions
	@$(BIN)/python -m bench.judgement.segments
	@$(BIN)/python -m bench.judgement.segment_days
	@$(BIN)/python -m bench.judgement.slices
	@$(BIN)/python -m bench.judgement.standing
	@$(BIN)/python -m bench.judgement.year
	@$(BIN)/python -m bench.judgement.baselines
	@$(BIN)/python -m bench.judgement.large_images
	@$(BIN)/python -m bench.judgement.large_days
	@$(BIN)/python -m bench.judgement.tables

var/bench/speed/installed:
	@echo "Installing what the benchmark compares with into var/bench/speed (a minute, once)"
	@$(PYTHON) -m venv var/bench/speed
	@var/bench/speed/bin/python -m pip install --quiet --disable-pip-version-check "whylogs==1.6.4" "cleanvision==0.3.7" "simplejpeg==1.9.0" "pyvips[binary]==3.2.0" "setuptools<81" "numpy<2" "pandas<3"
	@touch $@

bench: .venv/installed var/bench/speed/installed ## How fast the one pass is, against what would be run instead: docs/benchmarks/speed (PHOTOS=<folder of classes>)
	@$(BIN)/python -m bench.speed.run $(if $(PHOTOS),"$(PHOTOS)")
	@$(BIN)/python -m bench.speed.inputs $(if $(PHOTOS),"$(PHOTOS)")

var/bench/s3/installed:
	@$(PYTHON) -m venv var/bench/s3
	@var/bench/s3/bin/python -m pip install --quiet --disable-pip-version-check "nanio==0.1.7" "uvicorn==0.54.0"
	@touch $@

bench-object-store: .venv/installed var/bench/s3/installed ## What a day costs from S3, against the same day from a folder: docs/scaling.md (PHOTOS=<folder of classes>)
	@$(BIN)/python -m bench.s3_day --write $(if $(PHOTOS),--photos "$(PHOTOS)")

bench-endpoint: .venv/installed model-servers ## How fast a model server answers, with 1, 8 and 32 requests at once: docs/benchmarks/endpoint.md
	@$(BIN)/python -m bench.endpoint

lint: .venv/installed ## Lint and types only
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && $(BIN)/mypy

docs: .venv/installed ## Write docs/configuration.md from the monitor file's models
	@$(BIN)/python -m driftwatch.config.docs > docs/configuration.md

var/docs-site-env/installed: docs_site/site.txt | .venv/installed
	@echo "Installing MkDocs into var/docs-site-env (some seconds, once)"
	$(call server-venv,var/docs-site-env)

docs-site: var/docs-site-env/installed ## Build the documentation as a site into var/docs-site; it opens without a network
	@NO_MKDOCS_2_WARNING=1 var/docs-site-env/bin/python -m mkdocs build --strict
	@echo "Open var/docs-site/index.html"

pictures: .venv/installed ## Make every picture of the documentation anew, from what `make demo` left (RUN=<folder> for another run; needs chromium)
	@$(BIN)/python -m docs_site.pictures $(if $(RUN),"$(RUN)")

screens: .venv/installed ## Every page at 1440, 1280 and 400 pixels, light and dark, into var/screens, to be looked at (RUN=<folder>; needs chromium)
	@$(BIN)/python -m docs_site.screens $(if $(RUN),"$(RUN)")

monitors: .venv/installed ## Put WhyLabs' own monitors as the monitor files describe them (MONITOR=<file> for one)
	@$(BIN)/python -m driftwatch_airflow.put_monitors $(if $(MONITOR),"$(MONITOR)")

bench-retraining: .venv/installed ## What retraining buys on real photos (PHOTOS=<folder of classes>; about 40 minutes of one core)
	@$(BIN)/python -m bench.retraining recipe $(if $(PHOTOS),--photos "$(PHOTOS)")
	@$(BIN)/python -m bench.retraining days $(if $(PHOTOS),--photos "$(PHOTOS)")

digests: ## Print, for .env, what the tags of docker-compose.yaml's images mean today (needs docker)
	@deploy/pin-images.sh

lock: .venv/installed ## Pin every version of pyproject.toml's dependencies in requirements.txt, with the hashes of its files
	@$(BIN)/uv pip compile pyproject.toml --extra all --group dev --universal --fork-strategy fewest --python-version 3.10 --upgrade --generate-hashes \
		--no-annotate --no-header --quiet --output-file requirements.txt
	@sed -i '1i # Every version pinned, with its hashes, by `make lock` from pyproject.toml, which says why each cap exists. One version serves Python 3.10 to 3.12.' requirements.txt

# Of what a user installs, so without the development tools of the lock. cyclonedx-py reads versions and hashes from the compiled file.
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
release: .venv/installed ## Wheel, sdist and SBOM of this version into dist/, checked
	@rm -rf dist
	@$(BIN)/uv build --quiet --out-dir dist
	@$(BIN)/uv pip compile --quiet --generate-hashes --constraints requirements.txt --extra all --output-file dist/runtime.txt pyproject.toml
	@$(BIN)/uv tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
		--validate --output-format JSON --output-file dist/driftwatch-$(VERSION).cdx.json dist/runtime.txt
	@rm dist/runtime.txt
	@$(BIN)/uv tool run --quiet twine==7.0.0 check --strict dist/*.whl dist/*.tar.gz
	@$(BIN)/uv tool run --quiet check-wheel-contents==0.6.3 dist/*.whl

.PHONY: release azure-server label-studio-server mlflow-server model-servers bench-endpoint bench bench-object-store bench-judgement digests help install demo try check ui label desk test test-faults test-outages lint docs docs-site pictures screens monitors lock bench-retraining
