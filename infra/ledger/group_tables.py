"""The tables of groups: who is linked to which household, and whose claims wait to be decided together."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, ForeignKey, Identity, Index, Integer, Table, Text, text

from infra.ledger.tables import metadata

memberships = Table(
    "memberships",
    metadata,
    Column("membership_id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("household_id", Text),
    Index("memberships_of_person", "person_id", postgresql_where=text("household_id IS NOT NULL")),
    Index("memberships_of_household", "household_id", postgresql_where=text("household_id IS NOT NULL")),
)
"""The household to which the newest version of each membership links its person, on whatever days; none if to none.

A way to find who belongs together; the facts say the rest.
"""

invoices = Table(
    "invoices",
    metadata,
    Column("link", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
)
"""Who was the first to name an invoice, by what links all who do (`handlers.claims.twice.link_of`)."""

shared_invoices = Table(
    "shared_invoices",
    metadata,
    Column("link", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Index("shared_invoices_of_person", "person_id"),
)
"""Whose claims are decided together as they name the same invoice; the first of them from the first such step on."""

group_work = Table(
    "group_work",
    metadata,
    Column("work_no", BigInteger, Identity(always=True), primary_key=True),
    Column("event_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    Column("person_id", Text, nullable=False),
    Column("shard", Integer, nullable=False),
    Column("households", ARRAY(Text), nullable=False),
    Column("moved", Boolean, nullable=False),
    Column("traceparent", Text),
    Index("group_work_of_shard", "shard", "work_no"),
    Index("group_work_of_person", "person_id"),
    Index("group_work_of_household", "households", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
)
"""The queue of the group step: a person whose facts changed and whose claims wait to be decided with their group.

Written in the transaction of the event, deleted in the one that decides (`schemas.records.GroupWork`).
"""
