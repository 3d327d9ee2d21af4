"""Every setting, read from the environment. docs/operations.md lists them; a test holds the two together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class SettingsError(Exception):
    """A setting that cannot be used; the message names the variable and what is wrong."""


class Settings(BaseModel):
    """One field a variable: ``database_url`` is ``HUZHU_DATABASE_URL``. Times are seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kafka_bootstrap: str | None = Field(None, description="host:port of Kafka, comma-separated; unset: Docker or local")
    database_url: str | None = Field(None, description="postgresql+psycopg://... of the ledger; unset: Docker or local")
    shards: int = Field(4, ge=1, le=256, description="partitions of every topic; fixed once a ledger exists")
    replication_factor: int = Field(1, ge=1, le=10, description="copies of every partition; 3 in production")
    min_insync_replicas: int = Field(1, ge=1, le=10, description="copies that must have a message; 2 in production")
    batch_events: int = Field(500, ge=1, le=20_000, description="most events in one ledger transaction")
    batch_wait: float = Field(0.02, gt=0, le=10, description="longest wait for a batch to fill")
    session_timeout: float = Field(10, ge=1, le=300, description="silence after which Kafka gives a worker up")
    idle_check: float = Field(60, gt=0, le=3600, description="how often an idle worker compares ledger and topics")
    ledger_lease: float = Field(15, ge=1, le=600, description="longest pause inside a ledger transaction")
    retry_attempts: int = Field(6, ge=1, le=100, description="tries of one transaction before the process ends")
    retry_wait: float = Field(0.2, gt=0, le=60, description="wait before the second try; doubles, at most 5 s")
    audit_key_file: Path | None = Field(None, description="private key that signs checkpoints of the audit log")
    audit_interval: float = Field(60, gt=0, le=86_400, description="longest wait of a new audit entry for a checkpoint")
    audit_entries: int = Field(1000, ge=1, le=1_000_000, description="new audit entries that make a checkpoint due")
    relay_batch: int = Field(1000, ge=1, le=100_000, description="most messages in one Kafka transaction")
    relay_poll: float = Field(1.0, gt=0, le=60, description="longest wait of the relay for a notice from the ledger")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Reads ``HUZHU_*`` variables. Raises SettingsError for a wrong value; unknown names are left alone."""
        given = os.environ if environment is None else environment
        values = {name: given[variable] for name in cls.model_fields if (variable := f"HUZHU_{name.upper()}") in given}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            raise SettingsError(f"HUZHU_{str(first['loc'][0]).upper()}: {first['msg']}") from None
