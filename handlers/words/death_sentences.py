"""What is said about funeral lists (殡葬名单) and the members whom they name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from schemas.bilingual import Saying
from schemas.funeral_lists import DeathReport, ListedKind

KINDS = {
    ListedKind.CANDIDATE: Saying("疑似死亡", "reported dead"),
    ListedKind.OTHER_DAY: Saying("死亡日期不符", "another day recorded"),
    ListedKind.LISTED_TWICE: Saying("重复列出", "listed twice"),
    ListedKind.UNREADABLE: Saying("无法识别的行", "unreadable line"),
    ListedKind.RECORDED: Saying("死亡已登记", "death recorded"),
    ListedKind.NO_MEMBER: Saying("不是在保人员", "no member"),
}
RECORDED = Saying(
    "提醒已撤回:登记机关已登记死亡。",
    "Withdrawn: the registry has recorded the death.",
)

NO_DEATH_RECORDED = Saying("参保或户籍仍有效,没有死亡记录", "covered or in a household, and no death is recorded")
OTHER_DAY = Saying("登记的死亡日期不同,请与登记机关核对", "the recorded day is another one: check it with the registry")
DEATH_RECORDED = Saying("死亡已登记", "the death is recorded")
NO_MEMBER = Saying(
    "账本中没有此人,或其参保和户籍在死亡日期之前已结束",
    "the ledger does not know the person, or coverages and memberships had ended by then",
)


def reported(reports: Iterable[DeathReport]) -> Saying:
    """Why somebody should ask the registry about a person; names lists and days, and nobody."""
    by_list = [(each.list_id, each.died_on.isoformat()) for each in reports]
    zh = "、".join(f"{name}({day})" for name, day in by_list)
    en = ", ".join(f"{name} ({day})" for name, day in by_list)
    return Saying(
        f"殡葬名单列有此人,登记中没有死亡记录。名单及死亡日期:{zh}。请向登记机关核实:属实的由登记机关补报死亡登记,"
        "本提醒随即撤回;不属实的请写明原因后办结。",
        f"A funeral list names this person, and no death is recorded. Lists and days of death: {en}. Ask the registry: "
        "if it is true, the registry sends the death, which withdraws this alert; if not, close it and say why.",
    )


def not_listed(list_id: str) -> Saying:
    """A later edition of the list names the person no longer."""
    return Saying(
        f"提醒已撤回:更正后的殡葬名单 {list_id} 不再列有此人。",
        f"Withdrawn: the corrected funeral list {list_id} no longer names the person.",
    )


def listed_before(line: int, died_on: date) -> Saying:
    """The same person stands in an earlier line of the list, which counts."""
    return Saying(
        f"第 {line} 行已列出此人({died_on}),以该行为准",
        f"line {line} names the same person ({died_on}), and counts",
    )
