"""What people read of the books: the names of accounts (科目), and what an entry is about."""

from __future__ import annotations

from schemas.accounts import PERSON, AccountKind, BookAccount, facility_of, read_account
from schemas.bilingual import Saying
from schemas.books import BookEntry
from schemas.treaty.treaty_model import FUND

KINDS_OF_ACCOUNTS = {
    AccountKind.CASH: Saying("银行存款", "cash"),
    AccountKind.RECEIVABLE: Saying("应收追回款", "receivable"),
    AccountKind.INSURER: Saying("应收共保分摊款", "due from another insurer"),
    AccountKind.PAYABLE: Saying("应付补助款", "payable"),
    AccountKind.POOL: Saying("资金池结余", "pool"),
    AccountKind.FUNDED: Saying("资金池承担(冲减支出)", "funded by pools"),
    AccountKind.BORNE: Saying("共保人承担(冲减支出)", "borne by another insurer"),
    AccountKind.EXPENSE: Saying("补助支出", "expense"),
    AccountKind.WAIVED: Saying("核销损失", "waived"),
}
"""The 科目 of each kind, in the order in which a trial balance lists them."""

_MOVEMENTS = {
    (AccountKind.EXPENSE, AccountKind.PAYABLE): Saying("下达支付", "payment instructed"),
    (AccountKind.EXPENSE, AccountKind.RECEIVABLE): Saying("冲销未收回的收回指令", "failed recovery reversed"),
    (AccountKind.RECEIVABLE, AccountKind.EXPENSE): Saying("下达收回", "recovery instructed"),
    (AccountKind.PAYABLE, AccountKind.EXPENSE): Saying("冲销未到账的支付", "failed payment reversed"),
    (AccountKind.PAYABLE, AccountKind.CASH): Saying("支付到账", "payment paid"),
    (AccountKind.CASH, AccountKind.PAYABLE): Saying("支付被退回", "payment came back"),
    (AccountKind.CASH, AccountKind.RECEIVABLE): Saying("款项收回", "recovery paid"),
    (AccountKind.RECEIVABLE, AccountKind.CASH): Saying("收回的款项被退回", "recovery came back"),
    (AccountKind.PAYABLE, AccountKind.RECEIVABLE): Saying("抵扣", "set off"),
    (AccountKind.WAIVED, AccountKind.RECEIVABLE): Saying("核销", "waived"),
    (AccountKind.CASH, AccountKind.POOL): Saying("资金池收款", "contribution received"),
    (AccountKind.POOL, AccountKind.CASH): Saying("冲减资金池收款", "contribution lowered or voided"),
    (AccountKind.POOL, AccountKind.FUNDED): Saying("由资金池列支", "charged to a pool"),
    (AccountKind.FUNDED, AccountKind.POOL): Saying("冲回资金池列支", "charge to a pool taken back"),
    (AccountKind.INSURER, AccountKind.BORNE): Saying("共保分摊", "part of another insurer"),
    (AccountKind.BORNE, AccountKind.INSURER): Saying("共保分摊(负数)", "part of another insurer, negative"),
}
"""By the accounts to the debit and to the credit."""


def account_title(name: str) -> Saying:
    """What an account is called: its 科目, and for whom it is kept."""
    account = read_account(name)
    kind, (zh, en) = KINDS_OF_ACCOUNTS[account.kind], _kept_for(account)
    return Saying(f"{kind.zh}—{zh}", f"{kind.en}: {en}")


def in_listed_order(name: str) -> tuple[int, str]:
    """The place of an account in a list: by kind, then by name."""
    return list(KINDS_OF_ACCOUNTS).index(read_account(name).kind), name


def movement(entry: BookEntry) -> Saying:
    """What an entry is about, from its accounts."""
    debit, credit = (next(leg for leg in entry.legs if leg.amount * sign > 0) for sign in (1, -1))
    return _MOVEMENTS[read_account(debit.account).kind, read_account(credit.account).kind]


def payer_name(payer: str) -> Saying:
    """Who pays: the public fund, or an insurer by its id."""
    return Saying("公共基金", "public fund") if payer == FUND else Saying(payer, payer)


def payee_name(payee: str) -> Saying:
    """Who is paid, as the name of an account says it: all persons, or a hospital by its id."""
    facility = facility_of(payee)
    if facility is None:
        assert payee == PERSON
        return Saying("个人", "persons")
    return Saying(f"医院 {facility}", f"hospital {facility}")


def _kept_for(account: BookAccount) -> Saying:
    payer = payer_name(account.payer)
    match account.kind:
        case AccountKind.CASH:
            return payer
        case AccountKind.PAYABLE:
            payee = payee_name(account.payee)
            return Saying(f"{payer.zh}付给{payee.zh}", f"{payer.en} to {payee.en}")
        case AccountKind.RECEIVABLE:
            payee = payee_name(account.payee)
            return Saying(f"{payer.zh}向{payee.zh}收回", f"{payer.en} from {payee.en}")
        case AccountKind.INSURER:
            return Saying(f"{account.insurer}欠{payer.zh}", f"{account.insurer} to {payer.en}")
        case AccountKind.BORNE:
            return Saying(f"{account.insurer},协议 {account.of}", f"{account.insurer}, treaty {account.of}")
        case AccountKind.EXPENSE | AccountKind.WAIVED | AccountKind.FUNDED | AccountKind.POOL:
            return Saying(account.of, account.of)
