"""A product that pays sums assured, aid by level, and stays by their days."""

from __future__ import annotations

from tests.support.builders import policy_text

ACCIDENT = """
[[scheme]]
id = "accident"
programme = "village_mutual_aid"
trigger = "incident"
incident_kinds = ["accident"]
once_per = "year"
[[scheme.tier]]
name = "member"
categories = ["member"]
fixed = "5000.00"
"""
DISABILITY = """
[[scheme]]
id = "disability"
programme = "village_mutual_aid"
trigger = "incident"
[[scheme.tier]]
name = "member"
categories = ["member"]
by_degree = { "1" = "10000.00", "2" = "6000.00" }
"""
LOSS = """
[[scheme]]
id = "loss"
programme = "village_mutual_aid"
trigger = "incident"
basis = "verified_loss"
measured_on = "billed"
accumulates = "stay"
[[scheme.tier]]
name = "member"
categories = ["member"]
brackets = [{ over = "100.00", rate = "0.50" }]
"""
NURSING = """
[[scheme]]
id = "nursing"
programme = "village_mutual_aid"
[[scheme.tier]]
name = "member"
categories = ["member"]
per_day = "150.00"
from_day = 2
days_max = 5
"""
AID = """
[[scheme]]
id = "aid"
trigger = "aid"
levels = { city = "6800.00", district = "4200.00" }
cap_per_year = "8000.00"
"""
ASSURED = policy_text("assured", "2020-01-01", None, ACCIDENT, DISABILITY, LOSS, NURSING, AID)
