"""How a settlement came out of a national settlement list, in a sentence for the person and the auditor."""

from __future__ import annotations

from handlers.words.claim_sentences import yuan
from schemas.bilingual import Saying
from schemas.facts import NationalOrigin

FIELDS = {
    "fulamt_ownpay_amt": Saying("全自费", "the wholly self-paid part (全自费)"),
    "preselfpay_amt": Saying("先行自付", "the part paid first (先行自付)"),
    "overlmt_selfpay": Saying("超限价", "the part above the price limit (超限价)"),
}
SIDES = {"copay": Saying("个人自付", "the copay"), "out_of_catalogue": Saying("个人自费", "the out-of-catalogue part")}


def origin_sentence(settlement_id: str, origin: NationalOrigin) -> Saying:
    """Which mapping made the settlement, what it counted on which side, and whose money the personal account is."""
    parts = [
        (FIELDS[detail.field], yuan(detail.amount), SIDES[detail.side]) for detail in origin.counted if detail.amount
    ]
    zh = ";".join(f"{name.zh} {amount} 元计入{side.zh}" for name, amount, side in parts)
    en = "; ".join(f"{name.en}, {amount} yuan, counts as {side.en}" for name, amount, side in parts)
    account_zh = account_en = ""
    if origin.acct_pay:
        account_zh = f"个人账户支付的 {yuan(origin.acct_pay)} 元是本人的钱,含在个人负担里。"
        account_en = (
            f" The {yuan(origin.acct_pay)} yuan from the personal account are the person's own money and are included."
        )
    mark = f"{origin.mapping_id}({origin.mapping_sha256[:12]})"
    return Saying(
        f"结算单 {settlement_id} 由国家医保结算清单按对照表 {mark} 换算{':' + zh if zh else ''}。{account_zh}",
        f"Settlement {settlement_id} comes from the national settlement list under the mapping {origin.mapping_id} "
        f"({origin.mapping_sha256[:12]}){': ' + en if en else ''}.{account_en}",
    )
