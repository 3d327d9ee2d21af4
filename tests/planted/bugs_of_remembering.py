"""Bugs of a worker that remembers persons between its batches."""

from __future__ import annotations

from tests.planted.bug import Bug

_TESTS = "tests/ledger/test_remembered_persons.py"

BUGS = (
    Bug(
        "remembering",
        "the-end-of-a-chain-is-not-compared",
        "acts/remembered_persons.py",
        "            if self._left.get(shard) != _end(state):\n",
        "            if shard not in self._left:\n",
        (
            f"{_TESTS}::test_workers_that_take_turns_decide_as_one_that_remembers_nothing",
            f"{_TESTS}::test_a_bill_that_another_worker_took_in_is_recovered_when_it_is_voided",
            f"{_TESTS}::test_what_a_policy_paid_is_recovered_when_the_bill_is_voided",
            f"{_TESTS}::test_after_a_reissue_revisions_go_on",
        ),
    ),
    Bug(
        "remembering",
        "a-chain-is-known-by-its-length",
        "acts/remembered_persons.py",
        "    return state.audit_seq, state.audit_hash, state.redated\n",
        '    return state.audit_seq, "", state.redated\n',
        (f"{_TESTS}::test_a_person_is_known_as_long_as_the_shard_ends_where_it_was_left",),
    ),
    Bug(
        "remembering",
        "a-shard-that-comes-back-brings-its-persons",
        "acts/remembered_persons.py",
        "            if person is None or person.generation != self._generations[person.shard]:\n",
        "            if person is None or self._generations[person.shard] > 99:\n",
        (
            f"{_TESTS}::test_who_was_forgotten_with_a_shard_is_not_remembered_when_it_goes_on",
            f"{_TESTS}::test_workers_that_take_turns_decide_as_one_that_remembers_nothing",
        ),
    ),
    Bug(
        "remembering",
        "a-failed-batch-is-remembered",
        "acts/remembered_persons.py",
        "            person = self._forget(person_id)\n            if",
        "            person = self._persons.get(person_id)\n            if",
        (f"{_TESTS}::test_a_batch_that_was_rolled_back_is_not_remembered",),
    ),
    Bug(
        "remembering",
        "benefits-are-not-remembered",
        "acts/remembered_persons.py",
        "                world.benefits |= person.benefits\n",
        "",
        (
            f"{_TESTS}::test_what_is_remembered_is_what_would_be_loaded",
            f"{_TESTS}::test_workers_that_take_turns_decide_as_one_that_remembers_nothing",
        ),
    ),
    Bug(
        "remembering",
        "nobody-is-ever-forgotten",
        "acts/remembered_persons.py",
        "        while self._facts > self._facts_max:\n",
        "        while self._facts < 0:\n",
        (f"{_TESTS}::test_so_many_facts_are_remembered_and_no_more",),
    ),
)
