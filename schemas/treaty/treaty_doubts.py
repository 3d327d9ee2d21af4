"""What a person should know about a treaty before it is published for good."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.bilingual import Saying
from schemas.policy.policy_file import BYTE_ORDER_MARK, FileProblem
from schemas.toml_lines import line_of, lines_of
from schemas.treaty.treaty_model import Treaty


def treaty_warnings(treaty: Treaty, text: str, file: str, unknown: Iterable[str]) -> list[FileProblem]:
    """Everything that looks unintended, in order of lines: a sample, no end, ``unknown`` schemes that no policy has."""
    lines = lines_of(text.removeprefix(BYTE_ORDER_MARK))

    def about(field: str, message: Saying, beside: str = "") -> FileProblem:
        return FileProblem(file, line_of(lines, ("treaty", beside or field)), field, message)

    found = [
        about("schemes", Saying(f"已公布的方案都没有保障层“{name}”", f'no published policy has the scheme "{name}"'))
        for name in unknown
    ]
    if treaty.status == "sample":
        message = Saying(
            "这是示例,公布后同样按它付钱:正式协议请写 enacted",
            'is "sample", and is paid by all the same: write "enacted" for a treaty that was signed',
        )
        found.append(about("status", message))
    if treaty.effective_to is None:
        message = Saying(
            "没有填写,公布以后这些保障层永远由它承保,不能再由别的协议接替",
            "is not set: once published, no other treaty can ever follow for these schemes",
        )
        found.append(about("effective_to", message, beside="effective_from"))
    return sorted(found, key=lambda problem: problem.line)
