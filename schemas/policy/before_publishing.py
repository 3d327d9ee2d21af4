"""What a person should know about a policy before it is published for good."""

from __future__ import annotations

from datetime import date

from schemas.bilingual import Saying
from schemas.policy.doubts import SeenCoverages, missing_pools, missing_reasons, unknown_categories, warnings
from schemas.policy.model import Check, Checks, Policies, Policy
from schemas.policy.policy_file import BYTE_ORDER_MARK, FileProblem
from schemas.toml_lines import line_of, lines_of


def publishing_warnings(
    policy: Policy, text: str, file: str, today: date, seen: SeenCoverages, policies: Policies
) -> list[FileProblem]:
    """Everything that looks unintended, in order of lines: a sample, no end, a start in the past, unknown categories.

    ``policies`` are the published ones with this one among them.
    """
    lines = lines_of(text.removeprefix(BYTE_ORDER_MARK))
    others = [release for release in policies.releases if release.sha256 != policy.sha256]

    def about(field: str, message: Saying, beside: str = "") -> FileProblem:
        return FileProblem(file, line_of(lines, ("policy", beside or field)), field, message)

    found = [*warnings(policy, text, file), *unknown_categories(policy, text, file, seen, others)]
    found += missing_pools(policy, text, file, seen)
    found += missing_reasons(policy, text, file, seen)
    if policy.status == "sample":
        message = Saying(
            "这是示例,公布后同样按它付钱:正式规定请写 enacted,并写明依据文件(source)",
            'is "sample", and is paid by all the same: write "enacted" with its source if it is a regulation',
        )
        found.append(about("status", message))
    if policy.effective_to is None:
        message = Saying(
            f'没有填写,方案一直有效,直到另一个方案用 succeeds = "{policy.id}" 接替它',
            f'is not set: the policy stays in force until another one says succeeds = "{policy.id}"',
        )
        found.append(about("effective_to", message, beside="effective_from"))
    if policy.effective_from < today:
        message = Saying(
            f"早于今天({today}):这一天以后出院的都要(重新)核定",
            f"is before today ({today}): all discharges since then are decided by it",
        )
        found.append(about("effective_from", message))
    before = next((release for release in others if release.id == policy.succeeds), None)
    for name, check in Checks() if before is None else before.checks:
        if check is Check.HOLD and name not in policy.checks.model_fields_set:
            message = Saying(
                f'没有填写,只提醒;它接替的方案写的是 "hold"。要继续暂缓支付,请在 [checks] 写 {name} = "hold"',
                'is not set, so staff are only alerted, while the policy that it succeeds says "hold": write '
                f'{name} = "hold" below [checks] if such claims are still to be held',
            )
            found.append(about(f"checks.{name}", message, beside="succeeds"))
    return sorted(found, key=lambda problem: problem.line)
