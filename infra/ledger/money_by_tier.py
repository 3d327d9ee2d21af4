"""The digest's sums of money: each instruction under the tier whose money it moves.

A payment belongs to its own tier. A recovery takes back what was paid last: fen by fen it belongs to the newest payment
that brought the balance there, so it can fall into several tiers. An instruction that says no tier, as the decision
behind it has none any more, is no exception. A reissue and its reversal belong where the payout they replace does; they
leave no trace in the net sum of any tier.

Each text continues a statement that begins with ``entry``, the audit entries to be added.
"""

from __future__ import annotations

SHARES = """
    , lineage (asked, payout_id, instead_of) AS (
        SELECT i.payout_id, i.payout_id, coalesce(i.reissue_of, i.reversal_of)
        FROM instructions i WHERE i.payout_id IN (SELECT payout_id FROM moved)
        UNION
        SELECT l.asked, i.payout_id, coalesce(i.reissue_of, i.reversal_of)
        FROM lineage l JOIN instructions i ON i.payout_id = l.instead_of
    ), source AS (
        SELECT a.payout_id AS asked, a.amount AS asked_amount, r.*
        FROM lineage l JOIN instructions a ON a.payout_id = l.asked JOIN instructions r ON r.payout_id = l.payout_id
        WHERE l.instead_of IS NULL
    ), share AS (
        SELECT asked, convert_from(value, 'UTF8')::jsonb ->> 'tier' AS tier, 1 AS payouts, asked_amount AS amount
        FROM source WHERE kind = 'payment'
        UNION ALL
        SELECT r.asked, p.tier, CASE WHEN s.high = r.balance_before THEN 1 ELSE 0 END,
            least(s.high - s.low, r.asked_amount - (r.balance_before - s.high))
        FROM source r
            CROSS JOIN LATERAL (
                SELECT cut AS low, lead(cut) OVER (ORDER BY cut) AS high
                FROM (SELECT DISTINCT c.cut FROM instructions i
                        CROSS JOIN LATERAL (VALUES (i.balance_before), (i.balance_after)) AS c (cut)
                    WHERE i.claim_id = r.claim_id AND i.scheme_id = r.scheme_id AND i.payee_id = r.payee_id
                        AND i.revision <= r.revision
                        AND c.cut BETWEEN r.balance_after AND r.balance_before) AS cuts
            ) AS s
            CROSS JOIN LATERAL (
                SELECT convert_from(i.value, 'UTF8')::jsonb ->> 'tier' AS tier FROM instructions i
                WHERE i.claim_id = r.claim_id AND i.scheme_id = r.scheme_id AND i.payee_id = r.payee_id
                    AND i.revision < r.revision
                    AND i.kind = 'payment' AND i.reissue_of IS NULL AND i.reversal_of IS NULL
                    AND i.balance_before <= s.low AND i.balance_after >= s.high
                ORDER BY i.revision DESC LIMIT 1
            ) AS p
        WHERE r.kind = 'recovery' AND s.high IS NOT NULL AND r.asked_amount > r.balance_before - s.high
    )
"""
"""From ``moved``, some payouts, to ``share``: the tiers whose money each of them (``asked``) moves, and how much."""

_SUMMED = (
    SHARES
    + """
    INSERT INTO digest_money (scheme_id, tier, day, kind, state, payouts, amount)
    SELECT i.scheme_id, coalesce(s.tier, ''), m.day, i.kind, m.state, sum(m.sign * s.payouts), sum(m.sign * s.amount)
    FROM moved m JOIN instructions i ON i.payout_id = m.payout_id JOIN share s ON s.asked = m.payout_id
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (scheme_id, tier, day, kind, state) DO UPDATE
    SET payouts = digest_money.payouts + excluded.payouts, amount = digest_money.amount + excluded.amount
"""
)

# An insurer may have reported before: a restored ledger instructs again what was paid long ago. The payout then begins
# in the state to which its person's reports had come.
INSTRUCTED = (
    """
    , moved AS (
        SELECT i.payout_id, ((e.told ->> 'occurred_at')::timestamptz AT TIME ZONE 'Asia/Shanghai')::date AS day,
            CASE WHEN i.reversal_of IS NULL AND i.set_off_of IS NULL THEN coalesce(before.state, 'instructed')
                ELSE 'book' END AS state,
            1 AS sign
        FROM entry e JOIN instructions i ON i.payout_id = e.told -> 'subject' ->> 'payout_id'
            LEFT JOIN LATERAL (
                SELECT convert_from(a.value, 'UTF8')::jsonb -> 'subject' ->> 'state' AS state
                FROM facts f JOIN audit_entries a ON a.shard = :shard AND a.seq = first_audit_entry(:shard, f.event_no)
                WHERE f.kind = 'payout' AND f.subject_id = i.payout_id AND f.person_id = i.person_id
                    AND f.event_no < i.event_no
                ORDER BY f.event_no DESC LIMIT 1
            ) before ON true
    )
"""
    + _SUMMED
)

# A report moves its payout from one state to another. The day stays that of the instruction.
REPORTED = (
    """
    , report AS (
        SELECT e.told -> 'subject' ->> 'id' AS payout_id, e.told -> 'subject' ->> 'state_before' AS left_state,
            e.told -> 'subject' ->> 'state' AS state
        FROM entry e
        WHERE e.told -> 'subject' ->> 'matched' = 'yes'
            AND e.told -> 'subject' ->> 'state_before' <> e.told -> 'subject' ->> 'state'
    ), moved AS (
        SELECT i.payout_id, (v.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS day, s.state, s.sign
        FROM report r JOIN instructions i ON i.payout_id = r.payout_id AND i.reversal_of IS NULL
            AND i.set_off_of IS NULL
            JOIN events v ON v.event_no = i.event_no
            CROSS JOIN LATERAL (VALUES (r.left_state, -1), (r.state, 1)) AS s (state, sign)
    )
"""
    + _SUMMED
)
