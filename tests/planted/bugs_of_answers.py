"""Bugs of what insurers answer to their statements, and of what is compared with a statement (payers.md, section 3)."""

from __future__ import annotations

from tests.planted.bug import Bug

ANSWERS = "tests/ledger/test_statement_answers.py"
READ = "tests/unit/test_read.py"
ADMIT = "tests/unit/test_admit.py"

BUGS = (
    Bug(
        "answers",
        "an-insurer-is-a-person",
        "handlers/claims/process.py",
        "            return  # of an insurer, who may be called as a person is\n",
        "            pass\n",
        (f"{ANSWERS}::test_a_person_who_is_called_as_an_insurer_is_another_one",),
    ),
    Bug(
        "answers",
        "an-insurer-is-found-as-a-person",
        "infra/ledger/claim_search.py",
        "    about = (fact.c.person_id == person_id, fact.c.kind != Kind.STATEMENT)",
        "    about = (fact.c.person_id == person_id,)",
        (f"{ANSWERS}::test_a_person_who_is_called_as_an_insurer_is_another_one",),
    ),
    Bug(
        "answers",
        "any-insurers-answer-is-matched",
        "handlers/claims/process.py",
        "            matched = self.world.statements.get(fact.statement_id) == fact.person_id\n",
        "            matched = fact.statement_id in self.world.statements\n",
        (f"{ANSWERS}::test_another_insurers_statement_is_not_matched",),
    ),
    Bug(
        "answers",
        "another-insurer-answers-over-it",
        "handlers/claims/admit.py",
        "        if owner.person_id != fact.person_id and subject.kind is not Kind.PAYOUT:\n",
        "        if owner.person_id != fact.person_id and subject.kind not in (Kind.PAYOUT, Kind.STATEMENT):\n",
        (
            f"{ADMIT}::test_an_id_belongs_to_one_person_and_a_settlement_to_one_encounter",
            f"{ANSWERS}::test_an_answer_is_kept_and_moves_nothing",
        ),
    ),
    Bug(
        "answers",
        "one-reason-for-many-lines",
        "handlers/claims/read.py",
        "    if fact.lines and len(fact.lines) != len(fact.reasons):\n",
        "    if fact.lines and len(fact.lines) < len(fact.reasons):\n",
        (f"{READ}::test_every_bad_field_is_pointed_to",),
    ),
    Bug(
        "answers",
        "a-dispute-without-a-reason",
        "handlers/claims/read.py",
        "    if not fact.reasons:\n",
        "    if not fact.reasons and not fact.lines:\n",
        (f"{READ}::test_every_bad_field_is_pointed_to",),
    ),
    Bug(
        "answers",
        "the-key-is-a-persons",
        "schemas/topics.py",
        "    owner = document.get(topic.key)\n",
        '    owner = document.get("person_id")\n',
        (f"{READ}::test_the_key_of_an_event_is_the_member_that_its_topic_names",),
    ),
    Bug(
        "answers",
        "any-statement-may-be-answered",
        "web/api/permissions.py",
        "    if owners.by_subject.get(fact.subject) != fact.person_id:\n",
        "    if owners.by_subject.get(fact.subject, fact.person_id) != fact.person_id:\n",
        ("tests/web/test_leads.py::test_an_insurer_answers_its_own_statements_alone",),
    ),
    Bug(
        "answers",
        "reasons-in-clear",
        "handlers/words/masking.py",
        '        "lines",\n    ]',
        '        "lines",\n        "reasons",\n    ]',
        ("tests/unit/test_masking.py::test_each_field_of_an_event_is_open_or_covered",),
    ),
    Bug(
        "answers",
        "the-first-answer-stands",
        "acts/answered_statements.py",
        "sorted(kept, key=lambda each: each.version)}",
        "sorted(kept, key=lambda each: -each.version)}",
        (
            "tests/contracts/test_answer_commands.py::test_an_answer_is_seen_wherever_the_statement_is",
            f"{ANSWERS}::test_answers_are_replayed_with_the_statements_that_they_meet",
        ),
    ),
    Bug(
        "reconcile",
        "what-a-list-lacks-is-not-looked-up",
        "infra/ledger/payout_states.py",
        "        within, payout_ids = [false()], {*payout_ids, *scope.issued.ordered}\n",
        "        within = [false()]\n",
        ("tests/contracts/test_answer_commands.py::test_a_list_is_compared_with_a_statement",),
    ),
    Bug(
        "reconcile",
        "states-since-the-month-ended",
        "handlers/claims/reconcile.py",
        "            payout = payout._replace(state=state or payout.state)\n",
        "",
        ("tests/unit/test_statements.py::test_a_list_is_compared_with_the_statement_that_was_issued",),
    ),
)
