"""Certificates of an authority that lives as long as a test: the broker's and the administrator's."""

from __future__ import annotations

from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from infra.servers.local.broker_security import BrokerSecurity
from infra.servers.local.ports import LOOPBACK


def issued(folder: Path) -> BrokerSecurity:
    """All of them, as PEM files in a folder."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    for name in ("broker", "admin"):
        certificate = authority.issue_cert(LOOPBACK, common_name=name)
        key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # Kafka reads no other form
        chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
        (folder / f"{name}.pem").write_bytes(plain + chain)
    return BrokerSecurity(folder / "broker.pem", folder / "admin.pem", folder / "authority.pem")
