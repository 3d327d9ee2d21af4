"""Where things lie in the repository."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
CONTRACTS = DOCS / "contracts"
EXAMPLES = DOCS / "examples"
SYNTHEA = REPOSITORY / "tests" / "data" / "synthea-sample.jsonl"
SAMPLES = REPOSITORY / "infra" / "samples"
WUXI = SAMPLES / "wuxi-sample.toml"
SELF_PAY_TREATY = SAMPLES / "treaty-self-pay-sample.toml"
VILLAGE_TREATY = SAMPLES / "treaty-village-sample.toml"
WATCHES = SAMPLES / "watches-sample.toml"
MAPPING_FILE = SAMPLES / "national-sample.toml"
