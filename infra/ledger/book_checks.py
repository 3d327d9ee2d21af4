"""Whether the postings are those of what the ledger instructed, received and was told, worked out again in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

# What handlers/books/entries.py posts, added up for each payout and account: by the instruction, and by its reports.
# A report that came before its instruction is booked in the same event; it moves cash, and so does a contribution.
_UNLIKE = text("""
WITH payouts AS (
    SELECT i.payout_id, i.scheme_id, i.set_off_of, i.reversal_of IS NOT NULL AND i.set_off_of IS NULL AS book,
        i.kind = 'payment' AS payment, i.amount, i.pool_id,
        i.payer || ':' || CASE i.payee_id WHEN '' THEN 'person' ELSE 'facility:' || i.payee_id END AS between,
        i.payer, i.reversal_of IS NULL AND i.set_off_of IS NULL AND s.state = 'paid'
            AND NOT EXISTS (SELECT FROM settled_recoveries w WHERE w.payout_id = i.payout_id) AS moved
    FROM instructions i LEFT JOIN payout_states s USING (payout_id, person_id)
), expected AS (
    SELECT payout_id, true AS instructed, 'expense:' || scheme_id AS account,
        CASE WHEN payment THEN amount ELSE -amount END AS fen FROM payouts
    UNION ALL
    SELECT payout_id, true, CASE WHEN payment = book THEN 'receivable:' ELSE 'payable:' END || between,
        CASE WHEN payment THEN -amount ELSE amount END FROM payouts
    UNION ALL
    SELECT payout_id, true, side || between, CASE side WHEN 'payable:' THEN amount ELSE -amount END
        FROM payouts CROSS JOIN (VALUES ('payable:'), ('receivable:')) AS sides (side) WHERE set_off_of IS NOT NULL
    UNION ALL
    SELECT payout_id, false, CASE WHEN payment THEN 'payable:' ELSE 'receivable:' END || between,
        CASE WHEN payment THEN amount ELSE -amount END FROM payouts WHERE moved
    UNION ALL
    SELECT payout_id, false, 'cash:' || payer, CASE WHEN payment THEN -amount ELSE amount END FROM payouts WHERE moved
    UNION ALL
    SELECT p.payout_id, false, CASE side WHEN 'receivable:' THEN side || p.between ELSE side || p.scheme_id END,
        CASE side WHEN 'receivable:' THEN -w.amount ELSE w.amount END
        FROM payouts p JOIN settled_recoveries w USING (payout_id)
            CROSS JOIN (VALUES ('waived:'), ('receivable:')) AS sides (side) WHERE w.manner = 'waived'
    UNION ALL
    SELECT payout_id, true, CASE side WHEN 'pool:' THEN side || pool_id ELSE side || scheme_id END,
        CASE WHEN payment = (side = 'pool:') THEN amount ELSE -amount END
        FROM payouts CROSS JOIN (VALUES ('pool:'), ('funded:')) AS sides (side) WHERE pool_id IS NOT NULL
    UNION ALL
    SELECT contribution_id, false, CASE side WHEN 'pool:' THEN side || pool_id ELSE side END,
        CASE side WHEN 'pool:' THEN -amount ELSE amount END
        FROM contributions CROSS JOIN (VALUES ('cash:fund'), ('pool:')) AS sides (side)
), due AS (
    SELECT payout_id AS reference, instructed, account, sum(fen) AS fen FROM expected GROUP BY 1, 2, 3
), booked AS (
    SELECT p.reference, coalesce(p.event_no = i.event_no, false) AND NOT p.moves AS instructed, p.account,
        sum(p.amount) AS fen
    FROM (SELECT *, bool_or(account LIKE 'cash:%') OVER (PARTITION BY event_no, entry) AS moves FROM postings) p
        LEFT JOIN instructions i ON i.payout_id = p.reference
    WHERE p.account NOT LIKE 'insurer:%' AND p.account NOT LIKE 'borne:%' GROUP BY 1, 2, 3
)
SELECT DISTINCT reference FROM due FULL JOIN booked USING (reference, instructed, account)
    WHERE coalesce(due.fen, 0) <> coalesce(booked.fen, 0)
ORDER BY 1 LIMIT :limit
""")

# What the steps of pools count as received, and as released for each scheme, with the work that waits for them.
_POOLS = text("""
WITH counted AS (
    SELECT pool_id, CASE side WHEN 'received' THEN '' ELSE key END AS scheme_id, side,
        sum(amount) AS fen
    FROM (SELECT pool_id, side, key, amount FROM pool_sums
        UNION ALL SELECT pool_id, side, key, amount FROM pool_work) AS either GROUP BY 1, 2, 3
), due AS (
    SELECT pool_id, '' AS scheme_id, 'received' AS side, sum(amount) AS fen FROM contributions GROUP BY 1
    UNION ALL
    SELECT pool_id, scheme_id, 'released', sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END)
        FROM instructions WHERE pool_id IS NOT NULL GROUP BY 1, 2
)
SELECT DISTINCT pool_id
    FROM due FULL JOIN counted USING (pool_id, scheme_id, side)
    WHERE coalesce(due.fen, 0) <> coalesce(counted.fen, 0)
ORDER BY 1 LIMIT :limit
""")

# Entries that do not balance, stand under no event, or on another day than that of their event.
_WRONG = text("""
SELECT event_no, entry FROM postings LEFT JOIN events USING (event_no)
GROUP BY event_no, entry
HAVING sum(amount) <> 0
    OR bool_or(booked_on IS DISTINCT FROM (recorded_at AT TIME ZONE 'Asia/Shanghai')::date)
ORDER BY 1, 2 LIMIT :limit
""")


def booked_wrongly(connection: Connection, limit: int = 3) -> Sequence[str]:
    """Some payouts whose postings are not those of the instruction, its reports and its waiver, and contributions."""
    return list(connection.scalars(_UNLIKE, {"limit": limit}))


def pools_counted_wrongly(connection: Connection, limit: int = 3) -> Sequence[str]:
    """Ids of some pools whose money is not counted as what was received, paid and recovered."""
    return list(connection.scalars(_POOLS, {"limit": limit}))


def wrong_entries(connection: Connection, limit: int = 3) -> Sequence[tuple[int, int]]:
    """Event and number of some entries that do not sum to zero, or are not booked on the day of their event."""
    return [(row.event_no, row.entry) for row in connection.execute(_WRONG, {"limit": limit})]
