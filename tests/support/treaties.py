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


def shared_text(name: str = "t1", schemes: tuple[str, ...] = (VILLAGE,), first: str = "2024-01-01") -> str:
    """A treaty of three insurers, whose third also bears 90 % of what lies above 500.00 yuan, up to 10,000.00 of it."""
    listed = ", ".join(f'"{scheme_id}"' for scheme_id in schemes)
    shares = "".join(
        f'[[treaty.share]]\ninsurer = "{insurer}"\nshare = "{share}"\n'
        for insurer, share in (("insurer-a", "0.5"), ("insurer-b", "0.3"), ("insurer-c", "0.2"))
    )
    return f"""
[treaty]
id = "{name}"
status = "sample"
effective_from = {first}
schemes = [{listed}]
lead = "insurer-a"
{shares}
[treaty.stop_loss]
attachment = "500.00"
limit = "10000.00"
share = "0.9"
insurer = "insurer-c"
"""
