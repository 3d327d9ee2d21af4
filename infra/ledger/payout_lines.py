"""How the digest keeps the list of payouts, along the audit log with marks of its own.

An instruction brings its lines, a report their state. Either is looked at as the ledger has it now, so it does not
matter how often that is done, or when. Each text continues a statement that begins with ``entry``.
"""

from __future__ import annotations

from infra.ledger import money_by_tier

INSTRUCTED = (
    """
    , moved AS (SELECT DISTINCT e.told -> 'subject' ->> 'payout_id' AS payout_id FROM entry e)
"""
    + money_by_tier.SHARES
    + """
    INSERT INTO digest_payout_list (payout_id, tier, day, claim_id, scheme_id, kind, state, payer, payee_id, payouts,
        amount)
    SELECT i.payout_id, coalesce(s.tier, ''), (v.recorded_at AT TIME ZONE 'Asia/Shanghai')::date, i.claim_id,
        i.scheme_id, i.kind, CASE WHEN i.reversal_of IS NULL AND i.set_off_of IS NULL
            THEN coalesce(t.state, 'instructed') ELSE 'book' END,
        i.payer, i.payee_id, s.payouts, s.amount
    FROM (SELECT asked, tier, sum(payouts) AS payouts, sum(amount) AS amount FROM share GROUP BY 1, 2) s
        JOIN instructions i ON i.payout_id = s.asked JOIN events v ON v.event_no = i.event_no
        LEFT JOIN payout_states t ON t.payout_id = i.payout_id AND t.person_id = i.person_id
    ON CONFLICT (payout_id, tier) DO UPDATE SET state = excluded.state
"""
)

REPORTED = """
    UPDATE digest_payout_list l SET state = t.state
    FROM entry e JOIN instructions i ON i.payout_id = e.told -> 'subject' ->> 'id'
        JOIN payout_states t ON t.payout_id = i.payout_id AND t.person_id = i.person_id
    WHERE e.told -> 'subject' ->> 'kind' = 'payout' AND l.payout_id = i.payout_id AND l.state <> t.state
        AND i.reversal_of IS NULL AND i.set_off_of IS NULL
"""
