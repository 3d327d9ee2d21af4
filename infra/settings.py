"""Every setting, its default and what it may be. docs/operations.md lists them; a test compares the two."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError

LEDGER_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
CITY_PREFIX = re.compile(r"([a-z0-9][a-z0-9-]{0,39}\.)?")
"""One word: two prefixes differ before the first dot, and no topic is another one without its first word (a test)."""

PREFIX = "HUZHU_"
"""What the name of every variable begins with."""

SECRETS = ("database_url", "database_read_url", "kafka_sasl_password", "registry_password", "oidc_client_secret")
"""Settings that nobody is shown. Each can stand in a file, which the setting with `_file` at its end names."""


class SettingsError(Exception):
    """A setting that cannot be used; the message names the variable and what is wrong."""


class Settings(BaseModel):
    """One field per setting: ``database_url`` is ``HUZHU_DATABASE_URL``. Times are in seconds.

    Values alone: `infra.settings_in_force` finds out what is set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kafka_bootstrap: str | None = Field(None, description="host:port of Kafka, comma-separated; unset: Docker or local")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how Kafka is spoken to; SASL_SSL in production"
    )
    kafka_sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="how user and password are shown to Kafka"
    )
    kafka_sasl_username: str | None = Field(None, description="Kafka user of this process")
    kafka_sasl_password: SecretStr | None = Field(None, description="its password")
    kafka_sasl_password_file: str | None = Field(None, description="a file that holds the password, instead")
    kafka_ca: str | None = Field(None, description="PEM of the authority that signed the brokers' certificates")
    kafka_cert: str | None = Field(None, description="PEM of this process's own certificate")
    kafka_key: str | None = Field(None, description="PEM of its private key, not encrypted")
    prefix: str = Field("", description="a word with a dot before all names in Kafka, of several installations on it")
    database_url: str | None = Field(None, description="postgresql+psycopg://... of the ledger; unset: Docker or local")
    database_url_file: str | None = Field(None, description="a file that holds this address, instead")
    database_read_url: str | None = Field(
        None, description="a replica of the ledger, for simulations and exports; unset: the ledger itself"
    )
    database_read_url_file: str | None = Field(None, description="a file that holds this address, instead")
    shards: int = Field(4, ge=1, le=256, description="partitions of every topic; fixed once a ledger exists")
    replication_factor: int = Field(1, ge=1, le=10, description="copies of every partition; 3 in production")
    min_insync_replicas: int = Field(1, ge=1, le=10, description="copies that must have a message; 2 in production")
    batch_events: int = Field(1000, ge=1, le=20_000, description="most events in one ledger transaction")
    batch_wait: float = Field(0.005, gt=0, le=10, description="longest wait for a batch to fill")
    session_timeout: float = Field(10, ge=1, le=300, description="silence after which Kafka gives a worker up")
    idle_check: float = Field(60, gt=0, le=3600, description="how often an idle worker compares ledger and topics")
    ledger_lease: float = Field(15, ge=1, le=600, description="longest pause inside a ledger transaction")
    retry_attempts: int = Field(20, ge=1, le=100, description="tries of one transaction before the process ends")
    retry_wait: float = Field(0.2, gt=0, le=60, description="wait before the second try; doubles, at most 5 s")
    audit_key_file: Path | None = Field(None, description="private key that signs checkpoints of the audit log")
    audit_interval: float = Field(60, gt=0, le=86_400, description="longest wait of a new audit entry for a checkpoint")
    audit_entries: int = Field(1000, ge=1, le=1_000_000, description="new audit entries that make a checkpoint due")
    relay_batch: int = Field(3000, ge=1, le=100_000, description="most messages in one Kafka transaction")
    relay_poll: float = Field(1.0, gt=0, le=60, description="longest wait of the relay for a notice from the ledger")
    after_promotion: Literal["refuse", "continue"] = Field(
        "refuse", description="whether a promoted standby that lacks nothing sent goes on without `huzhu ledger adopt`"
    )
    national_mappings: str | None = Field(
        None, description="file or folder of mappings of the national settlement list"
    )

    gateway_host: str = Field("127.0.0.1", min_length=1, description="address on which the hospital API listens")
    gateway_port: int = Field(8080, ge=0, le=65535, description="port of the hospital API")
    gateway_tls_cert: str | None = Field(None, description="file with the certificate chain of the hospital API (PEM)")
    gateway_tls_key: str | None = Field(None, description="file with the private key of that certificate (PEM)")
    gateway_threads: int = Field(12, ge=2, le=200, description="threads and ledger connections that serve requests")
    gateway_rate: float = Field(200, gt=0, le=1e6, description="events a second that a key may post, lasting")
    gateway_burst: int = Field(2000, ge=1000, le=10**7, description="events that a key may post at once after a rest")
    gateway_retention_days: float = Field(7, gt=0, le=366, description="how long an Idempotency-Key is remembered")

    console_host: str = Field("127.0.0.1", min_length=1, description="address on which the console listens")
    console_port: int = Field(8090, ge=0, le=65535, description="port of the console")
    console_tls_cert: str | None = Field(None, description="file with the certificate chain of the console (PEM)")
    console_tls_key: str | None = Field(None, description="file with the private key of that certificate (PEM)")
    console_threads: int = Field(8, ge=2, le=100, description="threads and ledger connections that make pages")
    console_key_file: str | None = Field(None, description="file with the keys of personal data")
    console_audit_keys: str | None = Field(None, description="file with the public keys that sign checkpoints")
    console_second_factor: Literal["optional", "approvers", "everybody"] = Field(
        "optional", description="who needs one-time codes to sign in: whose roles approve money, or everybody"
    )

    console_url: str | None = Field(None, description="address at which browsers reach the console, for the provider")
    oidc_issuer: str | None = Field(None, description="OpenID Connect provider with which the console's users sign in")
    oidc_client_id: str | None = Field(None, description="what the provider calls this console")
    oidc_client_secret: SecretStr | None = Field(None, description="the client's secret; none: a public client")
    oidc_client_secret_file: Path | None = Field(None, description="a file that holds the secret, instead")
    oidc_roles: str | None = Field(None, description="which value of the role claim is which role: CLAIM=ROLE,...")
    oidc_role_claim: str = Field("groups", min_length=1, description="the claim that says what somebody does")
    oidc_name_claim: str = Field("preferred_username", min_length=1, description="the claim that becomes the user name")
    oidc_scope: str = Field("openid profile", min_length=1, description="what the console asks the provider for")
    operator_token: SecretStr | None = Field(None, description="token of the program that acts on the command line")
    operator_token_file: Path | None = Field(None, description="where `huzhu signin` keeps a person's token")

    registry_username: str | None = Field(None, description="user at the schema registry")
    registry_password: SecretStr | None = Field(None, description="its password")
    registry_password_file: Path | None = Field(None, description="a file that holds the password, instead")

    log_format: Literal["text", "json"] = Field("text", description="what a process says on standard error")
    traces: Literal["none", "otlp"] = Field("none", description="where a process sends its OpenTelemetry spans")
    worker_metrics_port: int | None = Field(None, ge=0, le=65535, description="loopback port of a worker's metrics")
    relay_metrics_port: int | None = Field(None, ge=0, le=65535, description="loopback port of the relay's metrics")
    gateway_metrics_port: int | None = Field(None, ge=0, le=65535, description="loopback port of the gateway's metrics")
    console_metrics_port: int | None = Field(None, ge=0, le=65535, description="loopback port of the console's metrics")
    signer_metrics_port: int | None = Field(None, ge=0, le=65535, description="loopback port of the signer's metrics")

    @field_validator("prefix")
    @classmethod
    def _word_with_dot(cls, prefix: str) -> str:
        if not CITY_PREFIX.fullmatch(prefix):
            raise PydanticCustomError("prefix", "is at most 40 of a-z, 0-9 and -, and a dot at the end, such as wuxi.")
        return prefix

    @field_validator("database_url", "database_read_url")
    @classmethod
    def _ledger_url(cls, url: str | None) -> str | None:
        return ledger_url(url) if url else url


def ledger_url(url: str) -> str:
    """The address of a ledger with the driver that is used; people and platforms tend to leave it out.

    Raises PydanticCustomError, a ValueError, whose message does not quote the address: it may hold a password.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in LEDGER_SCHEMES and "://" in url and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise PydanticCustomError(
            "ledger_url", "is no address of PostgreSQL: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        )
    return f"postgresql+psycopg://{url.partition('://')[2]}"
