"""What funeral lists say of persons whose deaths nobody has recorded, from the alerts about them."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import Connection

from infra.ledger import alert_rows
from schemas.funeral_lists import DeathReport
from schemas.ids import PersonId
from schemas.outbound import AlertCode


def reported_deaths(
    connection: Connection, persons: Collection[PersonId] | None = None
) -> dict[PersonId, tuple[DeathReport, ...]]:
    """The lists that name them, in order of their ids; of all persons, or of some. Who is in no list is left out."""
    told = alert_rows.standing(connection, AlertCode.DEATH_REPORTED, persons)
    return {PersonId(person_id): _reports(value) for person_id, value in told.items()}


def _reports(value: bytes) -> tuple[DeathReport, ...]:
    return tuple(DeathReport.model_validate(each) for each in json.loads(value)["reported"])
