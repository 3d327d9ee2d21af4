"""Security for a local Kafka: TLS on every listener, SASL/SCRAM for clients, and an authorizer.

Clients connect to the listener CLIENTS with SASL_SSL. The broker itself and its administrator connect to INTERNAL and
CONTROLLER with a certificate, identified by its common name, so that no password is in a file or an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

MECHANISM = "SCRAM-SHA-512"
SUPER_USERS = ("broker", "admin")
"""Common names of the certificates with all rights: those of the broker and the administrator."""


@dataclass(frozen=True)
class BrokerSecurity:
    """PEM files. ``broker`` and ``admin`` contain a key (PKCS 8) and its certificate; ``authority`` signed both."""

    broker: Path
    admin: Path
    authority: Path

    def properties(self) -> dict[str, object]:
        """The security properties of the server."""
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        return {
            "listener.security.protocol.map": "CLIENTS:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL",
            "inter.broker.listener.name": "INTERNAL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.broker,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.authority,
            "ssl.principal.mapping.rules": r"RULE:^CN=([^,]+).*$/$1/",
            "listener.name.internal.ssl.client.auth": "required",
            "listener.name.controller.ssl.client.auth": "required",
            "listener.name.clients.sasl.enabled.mechanisms": MECHANISM,
            f"listener.name.clients.{MECHANISM.lower()}.sasl.jaas.config": scram,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": ";".join(f"User:{name}" for name in SUPER_USERS),
        }

    def administrator(self) -> dict[str, Any]:
        """The confluent-kafka settings for the administrator on INTERNAL."""
        return {
            "security.protocol": "SSL",
            "ssl.ca.location": str(self.authority),
            "ssl.certificate.location": str(self.admin),
            "ssl.key.location": str(self.admin),
        }
