"""What makes a local Kafka ask who is there: TLS on every listener, SASL/SCRAM for clients, and an authorizer.

Clients come to the listener CLIENTS with SASL_SSL. The broker itself and its administrator come to INTERNAL and
CONTROLLER with a certificate of their own, by whose common name they are known: no password is in a file or argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

MECHANISM = "SCRAM-SHA-512"
SUPER_USERS = ("broker", "admin")
"""Common names of the certificates that may do everything: the broker's, and the administrator's."""


@dataclass(frozen=True)
class BrokerSecurity:
    """PEM files. ``broker`` and ``admin`` hold a key (PKCS 8) and its certificate; ``authority`` signed both."""

    broker: Path
    admin: Path
    authority: Path

    def properties(self) -> dict[str, object]:
        """The server's properties beside its addresses."""
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
        """How confluent-kafka speaks to INTERNAL as the administrator."""
        return {
            "security.protocol": "SSL",
            "ssl.ca.location": str(self.authority),
            "ssl.certificate.location": str(self.admin),
            "ssl.key.location": str(self.admin),
        }
