# The desk with everything it needs to run on PostgreSQL. See docs/operations.md.
FROM python:3.11-slim-trixie AS build

ENV UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/app/.venv \
    UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir "uv>=0.9,<1"
WORKDIR /app
# The packages in a layer of their own: they change seldom.
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --locked --no-dev --no-install-project --extra postgres --extra models --extra otel
COPY . .
RUN uv sync --locked --no-dev --extra postgres --extra models --extra otel \
    && .venv/bin/python -m compileall -q core kb retrieval graph desk ui evals

FROM python:3.11-slim-trixie

# `proofdesk backup` runs pg_dump, which must be of the server's version or newer. No patch version is
# pinned: Debian keeps only its newest.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home desk \
    && install -d -o desk -g desk /data
COPY --from=build /app /app

ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PROOFDESK_HOME=/data \
    PROOFDESK_ADDRESS=0.0.0.0 \
    PROOFDESK_PORT=8501 \
    PROOFDESK_HEALTH_PORT=8501 \
    PROOFDESK_LOG_FORMAT=json
WORKDIR /app
USER 10001
VOLUME /data
EXPOSE 8501
STOPSIGNAL SIGTERM

# Alive, not ready: a database that is away is no reason to restart the desk.
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/healthz', timeout=4)"]

CMD ["python", "-m", "ui.server"]
