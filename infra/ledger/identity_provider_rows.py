"""Which users of the console are known by an identity provider, and as whom."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from infra.ledger.console_tables import oidc_identities


def name_of(connection: Connection, issuer: str, subject: str) -> str | None:
    """The user who is this subject of an issuer."""
    return connection.scalar(
        select(oidc_identities.c.user_name).where(
            oidc_identities.c.issuer == issuer, oidc_identities.c.subject == subject
        )
    )


def add(connection: Connection, user_name: str, issuer: str, subject: str) -> None:
    connection.execute(oidc_identities.insert().values(user_name=user_name, issuer=issuer, subject=subject))


def of_provider(connection: Connection, names: Collection[str]) -> set[str]:
    """Those of some users who sign in with the provider."""
    query = select(oidc_identities.c.user_name).where(oidc_identities.c.user_name.in_(names))
    return set(connection.scalars(query))
