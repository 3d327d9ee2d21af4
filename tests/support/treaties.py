"""Treaty files as tests need them."""

from __future__ import annotations

VILLAGE = "village_mutual_aid"


def treaty_text(
    name: str = "t1",
    lead: str = "insurer-a",
    first: str = "2024-01-01",
    end: str = "2025-01-01",
    schemes: tuple[str, ...] = (VILLAGE,),
) -> str:
    """A treaty that one insurer bears alone."""
    listed = ", ".join(f'"{scheme_id}"' for scheme_id in schemes)
    return f"""
[treaty]
id = "{name}"
status = "sample"
effective_from = {first}
effective_to = {end}
schemes = [{listed}]
lead = "{lead}"
[[treaty.share]]
insurer = "{lead}"
share = "1"
"""
