"""Bugs of closed days: what is read as one, in which order they come, what the database keeps (time.md, section 3)."""

from __future__ import annotations

from tests.planted.bug import Bug

UNIT = "tests/unit/test_closed_days.py"
LEDGER = "tests/ledger/test_closed_days.py"

IN_ORDER = f"{UNIT}::test_days_are_closed_one_after_the_other_up_to_today"
REFUSES = f"{LEDGER}::test_the_database_refuses_a_day_that_does_not_follow"
SENT = f"{UNIT}::test_each_shard_gets_the_days_that_it_lacks"

BUGS = (
    Bug(
        "days",
        "tomorrow-is-closed-today",
        "handlers/days/close_day.py",
        "    if day > today:\n",
        "    if day > today + ONE_DAY:\n",
        (IN_ORDER, f"{UNIT}::test_a_day_has_come_at_midnight_in_shanghai"),
    ),
    Bug(
        "days",
        "today-is-closed-tomorrow",
        "handlers/days/close_day.py",
        "    if day > today:\n",
        "    if day >= today:\n",
        (IN_ORDER, f"{UNIT}::test_a_day_has_come_at_midnight_in_shanghai"),
    ),
    Bug(
        "days",
        "a-day-ends-at-midnight-in-greenwich",
        "handlers/days/close_day.py",
        "    today = shanghai_date(processor.recorded_at)\n",
        "    today = processor.recorded_at.date()\n",
        (f"{UNIT}::test_a_day_has_come_at_midnight_in_shanghai",),
    ),
    Bug(
        "days",
        "a-day-is-left-out",
        "handlers/days/close_day.py",
        "    if day > following:\n",
        "    if day > following + ONE_DAY:\n",
        (IN_ORDER, f"{UNIT}::test_a_refusal_names_the_day_that_would_be_right"),
    ),
    Bug(
        "days",
        "a-day-before-the-first-is-a-duplicate",
        "handlers/days/close_day.py",
        "    if day < closed.first:\n",
        "    if day < closed.first - ONE_DAY:\n",
        (IN_ORDER, f"{UNIT}::test_a_refusal_names_the_day_that_would_be_right"),
    ),
    Bug(
        "days",
        "a-day-that-comes-twice-is-refused",
        "handlers/days/close_day.py",
        "    if day <= closed.last:\n",
        "    if day < closed.last:\n",
        (f"{UNIT}::test_a_closed_day_is_audited_under_its_shard",),
    ),
    Bug(
        "days",
        "a-duplicate-closes-it-again",
        "handlers/days/close_day.py",
        "    if admitted is Disposition.ACCEPTED:\n",
        "    if admitted in Disposition:\n",
        (
            f"{UNIT}::test_a_closed_day_is_audited_under_its_shard",
            f"{LEDGER}::test_each_shard_closes_its_own_days_in_order",
        ),
    ),
    Bug(
        "days",
        "the-first-day-moves-with-the-last",
        "handlers/days/close_day.py",
        "ClosedDays(event.day if closed is None else closed.first, event.day)",
        "ClosedDays(event.day, event.day)",
        (f"{LEDGER}::test_each_shard_closes_its_own_days_in_order",),
    ),
    Bug(
        "days",
        "the-days-of-all-shards-are-one",
        "handlers/days/close_day.py",
        "    closed = known.get(shard)\n",
        "    closed = next(iter(known.values()), None)\n",
        (f"{LEDGER}::test_each_shard_closes_its_own_days_in_order",),
    ),
    Bug(
        "days",
        "a-senders-clock-closes-days-ahead",
        "handlers/days/close_day.py",
        "    admitted = event_after_intake(event, processor.recorded_at) or admit_day(event.day, closed, today)\n",
        "    admitted = admit_day(event.day, closed, today)\n",
        (f"{UNIT}::test_a_sender_whose_clock_is_ahead_is_refused",),
    ),
    Bug(
        "days",
        "a-day-may-have-a-key",
        "handlers/days/read_day.py",
        "    if key is not None:\n",
        "    if key:\n",
        (f"{UNIT}::test_a_closed_day_has_no_key",),
    ),
    Bug(
        "days",
        "any-event-is-a-day",
        "handlers/days/read_day.py",
        "    if event_type not in DAYS.event_types:\n",
        "    if not event_type:\n",
        (f"{UNIT}::test_what_is_no_closed_day_is_refused",),
    ),
    Bug(
        "days",
        "a-worker-begins-anew-with-each-batch",
        "acts/take_in.py",
        "            if days:\n",
        "            if not days:\n",
        (f"{LEDGER}::test_each_shard_closes_its_own_days_in_order",),
    ),
    Bug(
        "days",
        "days-are-not-replayed",
        "acts/rebuild_books.py",
        "            take_message(processor, message, reading)\n",
        "            if event.topic != 'calendar.days':\n                take_message(processor, message, reading)\n",
        (f"{LEDGER}::test_each_shard_closes_its_own_days_in_order",),
    ),
    Bug(
        "days",
        "the-database-takes-any-later-day",
        "infra/ledger/migrations/versions/0021_days.py",
        "    IF NEW.day <> before + 1 THEN\n",
        "    IF NEW.day <= before THEN\n",
        (REFUSES,),
    ),
    Bug(
        "days",
        "the-database-takes-any-event-for-a-day",
        "infra/ledger/migrations/versions/0021_days.py",
        "AND shard = NEW.shard AND topic = 'calendar.days' AND disposition = 'accepted';",
        "AND shard = NEW.shard;",
        (REFUSES,),
    ),
    Bug(
        "days",
        "the-database-takes-days-ahead",
        "infra/ledger/migrations/versions/0021_days.py",
        "    IF NEW.day > today THEN\n",
        "    IF NEW.day > today + 1 THEN\n",
        (REFUSES,),
    ),
    Bug(
        "days",
        "closed-days-can-be-opened",
        "infra/ledger/migrations/versions/0021_days.py",
        "BEFORE UPDATE OR DELETE OR TRUNCATE ON closed_days",
        "BEFORE TRUNCATE ON closed_days",
        (f"{LEDGER}::test_a_closed_day_never_changes",),
    ),
    Bug(
        "days",
        "a-shard-without-days-begins-with-the-last",
        "handlers/days/days_to_send.py",
        "if shard in closed else first\n",
        "if shard in closed else day\n",
        (SENT,),
    ),
    Bug(
        "days",
        "a-shard-that-is-behind-skips-days",
        "handlers/days/days_to_send.py",
        "closed[shard].last + timedelta(days=1)",
        "max(each.last for each in closed.values()) + timedelta(days=1)",
        (SENT,),
    ),
    Bug(
        "days",
        "the-command-sends-days-before-the-first",
        "handlers/days/days_to_send.py",
        "    if day < first:\n",
        "    if day < first - timedelta(days=1):\n",
        (f"{UNIT}::test_a_day_that_cannot_be_closed_is_not_sent",),
    ),
)
