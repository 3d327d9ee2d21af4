"""How this process connects to Kafka: TLS and SASL/SCRAM for every client in Huzhu, from the settings.

The only place that knows, as libpq knows a process's PG* variables: every client gets its address and security
settings here, so none can be forgotten (a test checks that). No secret is in an argument, a repr or a log.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.settings import Settings, SettingsError
from infra.settings_in_force import settings_in_force

CLIENT = "huzhu"
"""After a prefix, what an installation's clients are called in the brokers' logs and quotas."""

HINT = "docs/security.md says which settings go together"


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """Protocol, user and certificates, checked against each other."""

    settings: Settings

    @classmethod
    def in_force(cls) -> KafkaSecurity:
        """Raises SettingsError when a setting is unusable, they do not fit together, or a file cannot be read."""
        security = cls(settings_in_force().settings)
        security._check()
        return security

    @property
    def tls(self) -> bool:
        return self.settings.kafka_security_protocol in ("SSL", "SASL_SSL")

    @property
    def sasl(self) -> bool:
        return self.settings.kafka_security_protocol.startswith("SASL_")

    def _check(self) -> None:
        settings = self.settings
        protocol = f"HUZHU_KAFKA_SECURITY_PROTOCOL={settings.kafka_security_protocol}"
        for name, value in (
            ("SASL_USERNAME", settings.kafka_sasl_username),
            ("SASL_PASSWORD", settings.kafka_sasl_password is not None),
        ):
            if self.sasl and not value:
                raise SettingsError(f"HUZHU_KAFKA_{name}: is needed with {protocol}; {HINT}")
            if value and not self.sasl:
                raise SettingsError(f"HUZHU_KAFKA_{name}: goes with SASL_SSL, not with {protocol}; {HINT}")
        for name, file in (("CA", settings.kafka_ca), ("CERT", settings.kafka_cert), ("KEY", settings.kafka_key)):
            if file and not self.tls:
                raise SettingsError(f"HUZHU_KAFKA_{name}: goes with SSL or SASL_SSL, not with {protocol}; {HINT}")
            if file:
                _read(f"HUZHU_KAFKA_{name}", file)
        if bool(settings.kafka_cert) != bool(settings.kafka_key):
            raise SettingsError("HUZHU_KAFKA_CERT: a certificate and its HUZHU_KAFKA_KEY go together: set both")
        if settings.kafka_bootstrap is None and settings.kafka_security_protocol != "PLAINTEXT":
            raise SettingsError(f"HUZHU_KAFKA_BOOTSTRAP: is needed with {protocol}: a local Kafka uses PLAINTEXT")
        if self.tls:
            self.context()

    def password(self) -> str:
        """The secret itself."""
        secret = self.settings.kafka_sasl_password
        return secret.get_secret_value() if secret else ""

    def context(self) -> ssl.SSLContext:
        """TLS that verifies the broker's certificate and name, with this process's certificate if there is one."""
        settings = self.settings
        try:
            context = ssl.create_default_context(cafile=settings.kafka_ca)
            if settings.kafka_cert:
                context.load_cert_chain(settings.kafka_cert, settings.kafka_key)
        except ssl.SSLError as error:
            raise SettingsError(f"HUZHU_KAFKA_CA, _CERT or _KEY: not usable as PEM ({error.reason}); {HINT}") from None
        return context


def confluent(bootstrap: str) -> dict[str, Any]:
    """For confluent-kafka: address, security, and the client's name if the installation has one."""
    security = KafkaSecurity.in_force()
    settings = security.settings
    options: dict[str, Any] = {"bootstrap.servers": bootstrap, "security.protocol": settings.kafka_security_protocol}
    options |= {"client.id": f"{settings.prefix}{CLIENT}"} if settings.prefix else {}
    if security.tls:
        files = {
            "ssl.ca.location": settings.kafka_ca,
            "ssl.certificate.location": settings.kafka_cert,
            "ssl.key.location": settings.kafka_key,
        }
        options |= {name: file for name, file in files.items() if file}
    if security.sasl:
        options |= {"sasl.mechanism": settings.kafka_sasl_mechanism, "sasl.username": settings.kafka_sasl_username}
        options |= {"sasl.password": security.password()}
    return options


def kafka_python(bootstrap: str) -> dict[str, Any]:
    """For kafka-python: address, security, and the client's name if the installation has one."""
    security = KafkaSecurity.in_force()
    settings = security.settings
    options: dict[str, Any] = {"bootstrap_servers": bootstrap.split(",")}
    options |= {"security_protocol": settings.kafka_security_protocol}
    options |= {"client_id": f"{settings.prefix}{CLIENT}"} if settings.prefix else {}
    if security.tls:
        options |= {"ssl_context": security.context()}
    if security.sasl:
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
        }
        options |= {"sasl_plain_password": security.password()}
    return options


def faust(bootstrap: str) -> dict[str, Any]:
    """For a Faust app: its brokers and their credentials, and its name if the installation has one."""
    from faust import SASLCredentials, SSLCredentials

    security = KafkaSecurity.in_force()
    settings = security.settings
    options: dict[str, Any] = {"broker": [f"aiokafka://{address}" for address in bootstrap.split(",")]}
    options |= {"broker_client_id": f"{settings.prefix}{CLIENT}"} if settings.prefix else {}
    if security.sasl:
        options["broker_credentials"] = SASLCredentials(
            username=settings.kafka_sasl_username,
            password=security.password(),
            ssl_context=security.context() if security.tls else None,
            mechanism=settings.kafka_sasl_mechanism,
        )
    elif security.tls:
        options["broker_credentials"] = SSLCredentials(security.context())
    return options


def _read(variable: str, file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text"
        raise SettingsError(f"{variable}: the file cannot be read ({reason}): check path and permissions") from None
