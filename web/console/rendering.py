"""Renders templates in one language, with amounts and dates as accountants write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import jinja2

from handlers.words.claim_sentences import REASON_NAMES, STATUS_NAMES, yuan
from handlers.words.masking import mask_id, mask_name, mask_phone, mask_value
from handlers.words.payout_sentences import KINDS, STATES, VERDICTS
from schemas.access.console_rights import ConsoleRole
from schemas.bilingual import Saying
from schemas.decisions import Reason, Status
from web.console.stacked_tables import with_headings
from web.console.visit import Render, Visit

SHANGHAI = timezone(timedelta(hours=8))
ROLES = {
    ConsoleRole.AUDITOR: Saying("审计", "auditor"),
    ConsoleRole.FINANCE: Saying("财务", "finance"),
    ConsoleRole.OPERATOR: Saying("经办", "operator"),
    ConsoleRole.ADMIN: Saying("管理员", "administrator"),
}


def renderer() -> Render:
    """Returns a function that renders the templates of this folder."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("web.console", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "yuan": yuan,
        "count": lambda number: f"{number:,}",
        "day": _day,
        "moment": moment,
        "mask_id": mask_id,
        "mask_name": mask_name,
        "mask_phone": mask_phone,
        "mask_value": mask_value,
    }
    environment.globals |= {"payout_states": STATES, "payout_kinds": KINDS, "verdicts": VERDICTS}

    def render(name: str, values: dict[str, Any]) -> str:
        visit: Visit = values["visit"]

        def status(value: str) -> str:
            return visit.text(STATUS_NAMES[Status(value)])

        def reason(value: str) -> str:
            return visit.text(REASON_NAMES[Reason(value)])

        def role(value: str) -> str:
            return visit.text(ROLES[ConsoleRole(value)])

        helpers = {"t": visit.say, "tr": visit.text, "status_name": status, "reason_name": reason, "role_name": role}
        return with_headings(environment.get_template(name).render(helpers | values))

    return render


def _day(value: date | None) -> str:
    return "–" if value is None else value.isoformat()


def moment(value: datetime | None) -> str:
    """An instant in Shanghai, as pages write it."""
    return "–" if value is None else value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
