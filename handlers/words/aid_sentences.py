"""What staff are told about temporary aid (临时救助): why it cannot be granted, and how a proposal stands."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.words.claim_sentences import yuan
from schemas.bilingual import Saying

NO_LEVELS = Saying(
    "今天生效的方案里没有临时救助,不能办理。请先公布含有救助标准的方案。",
    "The policy in force today has no temporary aid, so none can be granted. Publish a policy with levels of aid.",
)
NO_AMOUNT = Saying("救助金额应大于零。", "An aid is over zero.")
AFTER_DEATH = Saying(
    "已有死亡登记,不能再给予临时救助。如登记有误,请先更正。",
    "A death is recorded, so no aid can be granted. If the record is wrong, have it corrected first.",
)
USED_UP = Saying(
    "本年度的上限已经用完,这笔救助不会发放任何金额。",
    "The yearly cap is used up: nothing of this aid would be paid.",
)
TAKEN_FROM_ANOTHER = Saying(
    "今天另有一笔共用年度上限的理赔排在它之后,批准后那一笔会减少。请改日批准,或重新提出。",
    "Another claim of today shares a yearly cap and comes after this aid, so it would be paid less. "
    "Approve it on another day, or propose it again.",
)
COME_IN = Saying(
    "这笔救助此前已经批准并入账(账本恢复以前),不能再批准。请不同意这个提议。",
    "This aid was granted already, before the ledger was restored, and has come in. Reject the proposal.",
)
NOT_OF_PERSON = Saying(
    "这条提醒不是关于此人的,请从提醒的页面重新提出。",
    "The alert is not about this person: propose again from the alert's page.",
)
NO_PERSON = Saying("账本里没有这个人的登记。", "The ledger has no facts about this person.")
WAITS_ALREADY = Saying("此人已有一笔临时救助在等待批准。", "An aid for this person is already waiting for approval.")
NO_REASON = Saying("请写明理由(至少 4 个字)。", "Give a reason of at least 4 characters.")
CHANGED = Saying(
    "预计发放的金额与您看到的不同,没有办理。请重新查看后再批准。",
    "What would be paid is not what you saw, and nothing was done. Look again before you approve.",
)


def unknown_level(level: str, levels: Mapping[str, int]) -> Saying:
    """The policy has other levels."""
    return Saying(
        f"方案里没有“{level}”这个救助标准,请从以下标准中选择:{'、'.join(levels)}。",
        f'The policy has no level "{level}": choose one of {", ".join(levels)}.',
    )


def over_level(level: str, most: int) -> Saying:
    """More than the level allows (fen)."""
    return Saying(
        f"金额超过标准:{level} 最多 {yuan(most)} 元。请改为不超过标准的金额。",
        f"The amount is over the level: {level} allows at most {yuan(most)} yuan. Give an amount within it.",
    )
