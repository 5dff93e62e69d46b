# Airflow with exactly the versions that the tests ran on, and Driftwatch installed as a package.
ARG BASE=apache/airflow:3.3.2-python3.11
FROM ${BASE}
# What is installed besides the core: `all`, or for the light steps alone, without TensorFlow, `light`.
ARG EXTRAS=all

ENV DRIFTWATCH_MONITORS=/opt/airflow/include/monitors \
    WHYLOGS_NO_ANALYTICS=True \
    _WHYLABS_SKIP_CONFIG_READ=1 \
    TF_CPP_MIN_LOG_LEVEL=2

# The lock wins over the constraints of the base image, whose other providers are removed: they were tested with other versions.
# Compiling pyproject.toml against the lock leaves out its development tools. Bytecode saves seconds at each start of a task.
COPY --chown=airflow:root pyproject.toml requirements.txt /opt/driftwatch/
RUN python -m pip install --no-cache-dir uv==0.13.9 \
 && uv pip compile --quiet --generate-hashes --constraints /opt/driftwatch/requirements.txt --extra "${EXTRAS}" --output-file /tmp/runtime.txt /opt/driftwatch/pyproject.toml \
 && uv pip sync --no-cache --require-hashes --compile-bytecode /tmp/runtime.txt \
 && uv pip check \
 && rm /tmp/runtime.txt

COPY --chown=airflow:root README.md LICENSE /opt/driftwatch/
COPY --chown=airflow:root include /opt/driftwatch/include
COPY --chown=airflow:root plugins /opt/driftwatch/plugins
COPY --chown=airflow:root dags /opt/driftwatch/dags
RUN uv pip install --no-cache --no-deps --compile-bytecode /opt/driftwatch \
 # The DAG files and the preload; the plugin is found in the installed package.
 && driftwatch deploy --to /opt/airflow \
 # Volumes take the owner of the folder that they cover.
 && mkdir -p storage stand-ins auth && chmod 770 storage stand-ins auth

COPY --chown=airflow:root include/monitors /opt/airflow/include/monitors
