"""Whatever is done to a log behind its back is found, and the first bad entry named; a clean log raises no alarm."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acts.verify_audit_log import Trust, Verified, verify_values
from handlers.audit import chain
from handlers.audit.log_check import Fault, LogCheck, LogFinding, read_entry
from handlers.audit.merkle import Frontier, leaf_hash
from infra.keys.audit_signing import SigningKey
from schemas.canonical import canonical_json, sha256_hex
from schemas.checkpoint import Checkpoint, SignedCheckpoint
from schemas.dates import format_instant
from schemas.outbound import AuditKind
from schemas.records import ShardState
from tests.support.builders import RECORDED_AT, unhurried

KEY = SigningKey("wuxi.example/huzhu", b"\x01" * 32)
THIEF = SigningKey("wuxi.example/huzhu", b"\x02" * 32)
TAMPERED = 100
"""Random logs for each of more than a dozen ways of tampering: some 1,500 in all."""
CLEAN = 1000
OCCURRED_AT = format_instant(RECORDED_AT)
SHARDS = 3

Chains = dict[int, list[bytes]]


class Log(NamedTuple):
    """The entries of each shard, and what was signed of them on the way; the last signature covers all."""

    chains: Chains
    notes: list[SignedCheckpoint]


def made(rng: Random, shard: int, length: int) -> list[bytes]:
    """A chain as the program writes it."""
    state, entries = ShardState(shard), []
    for number in range(length):
        kind, subject = rng.choice(list(AuditKind)), {"id": rng.choice(["E1", "浙江", '"\\\n', "\U0001f600", ""])}
        moment = RECORDED_AT + timedelta(seconds=number, microseconds=rng.choice([0, 1]))
        actor = rng.choice(["huzhu", 'operator:"hash":"' + "0" * 64 + '"', "h"])
        entries.append(
            chain.append(
                state, number, kind, actor, subject, sha256_hex(rng.randbytes(4)), format_instant(moment)
            ).value
        )
    return entries


def signed(shard: int, entries: list[bytes], key: SigningKey = KEY) -> SignedCheckpoint:
    tree = Frontier()
    for each in entries:
        tree.append(leaf_hash(each))
    return key.sign(Checkpoint(key.verifier.name, shard, tree.size, tree.root(), RECORDED_AT))


def log_of(rng: Random) -> Log:
    chains = {shard: made(rng, shard, rng.randint(2, 24)) for shard in range(SHARDS)}
    notes = []
    for shard, entries in chains.items():
        sizes = {*rng.sample(range(1, len(entries) + 1), rng.randint(0, 2)), len(entries)}
        notes += [signed(shard, entries[:size]) for size in sorted(sizes)]
    return Log(chains, notes)


def as_file(log: Log) -> Verified:
    """Verified as an export: shard by shard, one entry a line."""
    trust = Trust([KEY.verifier])
    for each in log.notes:
        trust.add(each)
    return verify_values((entry + b"\n" for entries in log.chains.values() for entry in entries), trust)


def as_topic(log: Log) -> list[LogFinding]:
    """Verified as partitions: the place says to which shard an entry belongs."""
    trust = Trust([KEY.verifier])
    for each in log.notes:
        trust.add(each)
    check = LogCheck(trust.trusted)
    for shard, entries in log.chains.items():
        for value in entries:
            check.of(shard).take(read_entry(value))
    return [*trust.findings, *check.end()]


def rehashed(value: bytes, **changes: object) -> bytes:
    """An entry changed by somebody who knows how to compute its hash."""
    fields = json.loads(value) | changes
    del fields["hash"]
    return canonical_json(fields | {"hash": sha256_hex(canonical_json(fields))})


def rechained(entries: list[bytes], start: int) -> list[bytes]:
    """Entries from ``start`` on numbered and hashed anew, so that the chain holds together."""
    done = entries[:start]
    for number, value in enumerate(entries[start:], start + 1):
        prev = json.loads(done[-1])["hash"] if done else "0" * 64
        done.append(rehashed(value, seq=number, prev_hash=prev))
    return done


Wanted = tuple[set[Fault], int | None]
"""Which faults may be named, and for which entry; None where only the signature tells."""


def edited(rng: Random, chains: Chains, shard: int) -> Wanted:
    """One byte is another."""
    entries = chains[shard]
    place = rng.randrange(len(entries))
    spoiled = bytearray(entries[place])
    spoiled[rng.randrange(len(spoiled))] ^= rng.randint(1, 255)
    entries[place] = bytes(spoiled)
    return {Fault.EDITED}, place + 1


def retyped(rng: Random, chains: Chains, shard: int) -> Wanted:
    """One member is another, and the entry's own hash fits again."""
    entries = chains[shard]
    place = rng.randrange(len(entries))
    entries[place] = rehashed(entries[place], actor="somebody else")
    if place == len(entries) - 1:
        return {Fault.CHECKPOINT_MISMATCH}, None
    return {Fault.CHAIN_SWAPPED, Fault.CHECKPOINT_MISMATCH}, None


def written_anew(rng: Random, chains: Chains, shard: int) -> Wanted:
    """One member is another, and every hash to the end fits again."""
    entries = chains[shard]
    place = rng.randrange(len(entries))
    entries[place] = rehashed(entries[place], actor="somebody else")
    chains[shard] = rechained(entries, place)
    return {Fault.CHECKPOINT_MISMATCH}, None


def deleted(rng: Random, chains: Chains, shard: int) -> Wanted:
    """Some entries in a row are gone, and later ones are still there."""
    entries = chains[shard]
    place = rng.randrange(len(entries) - 1)
    count = rng.randint(1, len(entries) - 1 - place)
    del entries[place : place + count]
    return {Fault.MISSING}, place + 1


def closed_up(rng: Random, chains: Chains, shard: int) -> Wanted:
    """An entry is gone, and those behind it are numbered and hashed anew."""
    entries = chains[shard]
    place = rng.randrange(len(entries))
    del entries[place]
    chains[shard] = rechained(entries, place)
    return {Fault.CHECKPOINT_MISMATCH, Fault.TRUNCATED}, None


def doubled(rng: Random, chains: Chains, shard: int) -> Wanted:
    """An entry stands a second time, somewhere behind."""
    entries = chains[shard]
    place = rng.randrange(len(entries))
    entries.insert(rng.randint(place + 1, len(entries)), entries[place])
    return {Fault.INSERTED}, place + 1


def forged(rng: Random, chains: Chains, shard: int) -> Wanted:
    """A new entry with the right number and hashes stands before the one that has this number."""
    entries = chains[shard]
    place = rng.randrange(len(entries))
    entries.insert(place, rehashed(entries[place], subject={"id": "forged"}))
    return {Fault.INSERTED, Fault.CHECKPOINT_MISMATCH}, None


def squeezed_in(rng: Random, chains: Chains, shard: int) -> Wanted:
    """A new entry, and those behind it are numbered and hashed anew."""
    entries = chains[shard]
    place = rng.randrange(len(entries))
    entries.insert(place, rehashed(entries[place], subject={"id": "forged"}))
    chains[shard] = rechained(entries, place)
    return {Fault.CHECKPOINT_MISMATCH}, None


def reordered(rng: Random, chains: Chains, shard: int) -> Wanted:
    """Two entries have changed places."""
    entries = chains[shard]
    first, second = sorted(rng.sample(range(len(entries)), 2))
    entries[first], entries[second] = entries[second], entries[first]
    return {Fault.REORDERED}, first + 1


def truncated(rng: Random, chains: Chains, shard: int) -> Wanted:
    """The newest entries are gone, perhaps all."""
    left = rng.randrange(len(chains[shard]))
    del chains[shard][left:]
    return {Fault.TRUNCATED}, left + 1


def swapped(rng: Random, chains: Chains, shard: int) -> Wanted:
    """The chain of another ledger stands there, as long or longer."""
    chains[shard] = made(rng, shard, len(chains[shard]) + rng.randint(0, 3))
    return {Fault.CHECKPOINT_MISMATCH}, None


def spliced(rng: Random, chains: Chains, shard: int) -> Wanted:
    """From some entry on the chain of another ledger goes on."""
    entries = chains[shard]
    place = rng.randrange(1, len(entries))
    entries[place:] = made(rng, shard, len(entries))[place:]
    return {Fault.CHAIN_SWAPPED}, place + 1


TAMPERINGS: list[Callable[[Random, Chains, int], Wanted]] = [
    edited,
    retyped,
    written_anew,
    deleted,
    closed_up,
    doubled,
    forged,
    squeezed_in,
    reordered,
    truncated,
    swapped,
    spliced,
]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda each: each.__name__)
def test_every_tampering_is_found(tamper: Callable[[Random, Chains, int], Wanted]) -> None:
    """Random logs for each kind, as a file and as partitions: what is wrong, where, and in no other shard."""
    for seed in range(TAMPERED):
        rng = Random(seed)
        log, shard = log_of(rng), rng.randrange(SHARDS)
        wanted, seq = tamper(rng, log.chains, shard)
        for findings in (as_file(log).findings, as_topic(log)):
            assert [shard] == [each.shard for each in findings], seed
            assert findings[0].fault in wanted, (seed, findings)
            assert seq in (None, findings[0].seq), (seed, findings)


def test_chains_that_changed_places_are_found() -> None:
    """The log of one shard under the number of another, and the reverse."""
    for seed in range(TAMPERED):
        log = log_of(Random(seed))
        log.chains[0], log.chains[1] = log.chains[1], log.chains[0]
        found = [(each.shard, each.seq, each.fault) for each in as_topic(log)]
        assert [(0, 1, Fault.CHAIN_SWAPPED), (1, 1, Fault.CHAIN_SWAPPED)] == found, seed


def test_every_wrong_key_is_found() -> None:
    """A log that was written anew and signed with another key, or a checkpoint changed without signing again."""
    for seed in range(TAMPERED):
        rng = Random(seed)
        log, shard = log_of(rng), rng.randrange(SHARDS)
        written_anew(rng, log.chains, shard)
        of_shard = [n for n, each in enumerate(log.notes) if each.checkpoint.shard == shard]
        for number in of_shard:
            size = log.notes[number].checkpoint.size
            genuine = log.notes[number]
            log.notes[number] = signed(shard, log.chains[shard][:size], THIEF)
            if rng.random() < 0.5:  # the thief's text under the genuine signature
                log.notes[number] = log.notes[number]._replace(signatures=genuine.signatures)
        findings = as_file(log).findings
        assert {(shard, Fault.WRONG_KEY)} >= {(each.shard, each.fault) for each in findings}, seed
        assert findings, seed


def test_no_clean_log_raises_an_alarm() -> None:
    """A thousand random logs, whole, with entries behind the last checkpoint, and without any checkpoint."""
    for seed in range(CLEAN):
        rng = Random(seed)
        log = log_of(rng)
        kept = rng.sample(log.notes, rng.randint(0, len(log.notes)))
        for notes in (log.notes, kept, []):
            verified = as_file(Log(log.chains, notes))
            assert [] == verified.findings == as_topic(Log(log.chains, notes)), seed
            assert {shard: len(entries) for shard, entries in log.chains.items()} == verified.entries
            newest = {
                shard: max([n.checkpoint.size for n in notes if n.checkpoint.shard == shard], default=0)
                for shard in range(SHARDS)
            }
            assert newest == verified.proved


def test_a_cut_end_that_no_kept_checkpoint_covers_is_not_found() -> None:
    """The limit of every such log, said plainly in docs/auditing.md: keep checkpoints elsewhere."""
    log = log_of(Random(1))
    del log.chains[0][1:]
    assert [Fault.TRUNCATED] == [each.fault for each in as_file(log).findings]
    assert [] == as_file(Log(log.chains, [each for each in log.notes if each.checkpoint.shard != 0])).findings


# RFC 8785 -------------------------------------------------------------------------------------------------

ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def jcs(value: object) -> str:
    """RFC 8785 spelled out for what an entry holds: objects, strings and integers (3.2.2.2, 3.2.2.3, 3.2.3)."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{jcs(name)}:{jcs(value[name])}" for name in names) + "}"
    if isinstance(value, int):
        assert abs(value) < 2**53, "what a double holds exactly"
        return str(value)
    assert isinstance(value, str)
    return '"' + "".join(ESCAPES.get(c, f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@unhurried
@given(TEXT, st.dictionaries(st.sampled_from(["id", "topic", "offset", "filter.shard"]), TEXT), st.integers(0, 255))
def test_an_entry_is_canonical_json_of_rfc_8785(actor: str, subject: dict[str, str], shard: int) -> None:
    """Also with the escapes, the control characters and the planes that the RFC has rules for."""
    state = ShardState(shard)
    value = chain.append(state, 0, AuditKind.EVENT_ACCEPTED, actor, subject, "0" * 64, OCCURRED_AT).value
    assert jcs(json.loads(value)).encode() == value
    entry = read_entry(value)
    assert entry is not None
    assert (actor, subject, shard, 1) == (entry.actor, entry.subject, entry.shard, entry.seq)


@pytest.mark.parametrize(
    "spell",
    [
        lambda fields: json.dumps(fields, sort_keys=True, ensure_ascii=False),
        lambda fields: json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True),
        lambda fields: json.dumps(dict(sorted(fields.items())[::-1]), separators=(",", ":"), ensure_ascii=False),
        lambda fields: canonical_json(fields).decode().replace('"shard":3', '"shard":3.0'),
        lambda fields: canonical_json(fields).decode().replace('"seq":', '"seq":7,"seq":'),
        lambda fields: canonical_json(fields | {"more": "x"}).decode(),
        lambda fields: canonical_json(fields | {"subject": {"id": 1}}).decode(),
    ],
    ids=["blanks", "escapes", "order", "a float", "a member twice", "a member more", "no text"],
)
def test_an_entry_has_one_spelling(spell: Callable[[dict[str, object]], str]) -> None:
    """Another one is no entry, even where it has the hash of its own bytes."""
    value = chain.append(ShardState(3), 0, AuditKind.EVENT_STALE, "浙江", {"id": "1"}, "0" * 64, OCCURRED_AT).value
    assert read_entry(value) is not None
    fields = json.loads(value)
    del fields["hash"]
    bare = spell(fields)
    hashed = bare.replace('"kind":', f'"hash":"{sha256_hex(bare.encode())}","kind":')
    assert read_entry(hashed.encode()) is None
    joined = bare.replace(',"kind":', f',"hash":"{sha256_hex(bare.encode())}","kind":')
    assert read_entry(joined.encode()) is None
