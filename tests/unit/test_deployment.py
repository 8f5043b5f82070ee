"""Dockerfile and compose.yaml name settings, commands and packages that exist."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from typing import Any

import pytest
import yaml
from typer.main import get_command

from core.settings import Settings
from desk.cli import app
from tests.conftest import ROOT

SETTINGS = {f"PROOFDESK_{name.upper()}" for name in Settings.model_fields}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


@pytest.mark.parametrize("file", ["Dockerfile", "compose.yaml", "desk.env.example"])
def test_every_setting_that_is_named_exists(file: str) -> None:
    named = set(re.findall(r"PROOFDESK_[A-Z_]+", (ROOT / file).read_text()))
    assert named
    assert named <= SETTINGS


@pytest.mark.parametrize("service", OURS)
def test_every_command_exists(service: str) -> None:
    program, *rest = OURS[service]["command"]
    if program == "proofdesk":
        assert rest[0] in get_command(app).commands  # type: ignore[attr-defined]
    else:
        assert [program, rest[0]] == ["python", "-m"]
        assert importlib.util.find_spec(rest[1])


def test_everybody_waits_for_the_schema_and_has_time_to_stop() -> None:
    longest = float(Settings.model_fields["stop_seconds"].default) + 2
    for name in ("worker", "ui"):
        waits = OURS[name]["depends_on"]["setup"]
        assert waits == {"condition": "service_completed_successfully"}
        assert float(OURS[name]["stop_grace_period"].removesuffix("s")) > longest
    assert OURS["setup"]["restart"] == "no"
    waits = OURS["setup"]["depends_on"]["database"]
    assert waits == {"condition": "service_healthy"}
    assert "pg_isready" in SERVICES["database"]["healthcheck"]["test"]


def test_all_share_one_home_and_no_secret_is_written_down() -> None:
    homes = {
        next(v for v in service["volumes"] if v.endswith(":/data")) for service in OURS.values()
    }
    assert homes == {"home:/data"}
    assert {"home", "database"} == set(COMPOSE["volumes"])
    for service in SERVICES.values():
        (file,) = service["env_file"]
        assert (ROOT / f"{file}.example").exists()
        secret = [name for name in service["environment"] if re.search("PASSWORD|URL|KEY", name)]
        assert secret == []
    for ignores in (".gitignore", ".dockerignore"):
        assert "*.env" in (ROOT / ignores).read_text().splitlines()


def test_ports_are_open_to_this_machine_only() -> None:
    assert [port.partition(":")[0] for port in OURS["ui"]["ports"]] == ["127.0.0.1"]
    assert not any("ports" in service for name, service in SERVICES.items() if name != "ui")


def test_the_image_installs_what_is_locked_and_runs_as_nobody_special() -> None:
    stages = DOCKERFILE.split("\nFROM ")
    assert all("python:3.11-slim" in stage.splitlines()[0] for stage in stages[1:])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = set(re.findall(r"--extra (\w+)", DOCKERFILE))
    assert extras <= set(project["optional-dependencies"])
    assert "postgres" in extras
    assert all("--locked" in line for line in DOCKERFILE.splitlines() if "uv sync" in line)
    last = stages[-1].splitlines()
    assert last.index("USER 10001") < next(n for n, line in enumerate(last) if "CMD [" in line)
    assert not any(line.startswith("USER root") for line in last)
    port = re.search(r"127\.0\.0\.1:(\d+)/healthz", DOCKERFILE)
    assert port
    for name in ("PROOFDESK_PORT", "PROOFDESK_HEALTH_PORT"):
        assert f"{name}={port[1]} " in DOCKERFILE
