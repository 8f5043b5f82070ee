"""Everything that can be set from outside, read once, in bootstrap.

Each field is an environment variable with the prefix ``PROOFDESK_`` (``PROOFDESK_HOME`` …) or a
line of a ``.env`` file. ``docs/settings.md`` documents each; a test fails when one is missing there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.logs import LogFormat, LogLevel

InterruptShape = Literal["middleware", "agent_inbox"]


class Settings(BaseSettings):
    """The settings of one desk."""

    model_config = SettingsConfigDict(
        env_prefix="PROOFDESK_", env_file=".env", extra="ignore", frozen=True
    )

    home: Path = Field(Path(".proofdesk"), description="Folder of database, index and outbox.")
    workspace: Path | None = Field(
        None,
        description="Workspace folder. Default: the one that `serve` made from the sample, in home.",
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy URL of the records. Default: SQLite in home."
    )
    model: str | None = Field(
        None,
        description="LangChain chat model, such as `openai:gpt-5-mini`. Default: none, the extractive drafter.",
    )
    model_url: str | None = Field(
        None, description="Base URL of an OpenAI-compatible endpoint for the model."
    )
    model_timeout_seconds: float = Field(
        60.0, gt=0, description="Longest wait for one model reply."
    )
    model_votes: bool = Field(
        False,
        description="Whether the model also votes on whether a source changed under an approval.",
    )
    model_classifies: bool = Field(
        False, description="Whether the model also says what a contact is about."
    )
    model_tiers: bool = Field(
        False, description="Whether the model also votes on which contacts need a person."
    )
    embeddings: str = Field(
        "all-MiniLM-L6-v2",
        description="Embedding model: the built-in one, or any LangChain embeddings by name.",
    )
    chroma_url: str | None = Field(
        None,
        description="URL of a Chroma server for the search index. Default: Chroma in a folder of home.",
    )
    chroma_trusted_network: bool = Field(
        False,
        description="Whether you vouch that no stranger reaches a Chroma server on another machine.",
    )
    interrupt_shape: InterruptShape = Field(
        "middleware", description="Shape of the interrupt payload that a paused run shows."
    )
    undo_seconds: int = Field(
        60, ge=0, description="How long an approved answer can be called back before it leaves."
    )
    claim_minutes: int = Field(
        15, ge=1, description="How long a reviewer holds a review before others may take it."
    )
    passages_per_draft: int = Field(
        8, ge=1, le=50, description="How many passages the drafter is given."
    )
    stop_seconds: float = Field(
        8.0, gt=0, description="How long a process that is told to stop waits for its jobs."
    )
    port: int = Field(8501, ge=1, le=65535, description="Port of the UI.")
    address: str = Field(
        "localhost", description="Address that the UI and the probes of a worker listen on."
    )
    url: AnyHttpUrl | None = Field(
        None,
        description="Address at which people open the UI, for the links of reports. Default: no links.",
    )
    health_port: int = Field(
        0, ge=0, le=65535, description="Port of a worker's probes; 0 for none."
    )

    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="What Prometheus must send as bearer token to read /metrics. Default: not served.",
    )

    log_format: LogFormat = Field("text", description="Form of the log of `serve` and `worker`.")
    log_level: LogLevel = Field("info", description="How much `serve` and `worker` log.")

    traces: bool = Field(
        False, description="Whether `serve` and `worker` send OpenTelemetry traces."
    )

    @field_validator("log_format", "log_level", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def base_url(self) -> str:
        """Address of the UI without a slash at its end; "" for none."""
        return str(self.url or "").rstrip("/")

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the records."""
        return self.database_url or f"sqlite:///{(self.home / 'proofdesk.sqlite').absolute()}"

    @property
    def workspace_folder(self) -> Path:
        """The workspace folder in use."""
        return self.workspace or self.home / "workspace"
