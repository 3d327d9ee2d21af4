"""Made-up identities as canaries, 10,000 in the long form: none of them appears unmasked unless it was requested."""

from __future__ import annotations

import hashlib
import html
import json
import logging
import random
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, Engine, event, func, select, text

from acts.personal_data_views import chain_views, note_view
from handlers.words.masking import mask_id, mask_name, mask_phone, mask_text, masked_event
from infra.keys.personal_data import Keyring, KeyringUnusable, NotReadable, add_key, read_keyring
from infra.ledger import aid_proposals, people_directory
from infra.ledger.console_tables import people
from infra.ledger.people_directory import PersonDetails
from schemas.aid_records import AidWanted
from schemas.ids import PersonId
from schemas.outbound import AuditKind
from schemas.searched_words import PersonalKind
from tests.support.acts import publish_watches_text
from tests.support.builders import SHARDS, Json, bill, contribution, coverage, discharge, encode, membership
from tests.support.length import times
from tests.support.watches import watch_text, watches_text
from tests.web.desk import Desk, Visitor, open_desk
from tests.web.town import filled_ledger, post, publish_two

pytestmark = pytest.mark.long

CANARIES = times(1_000, 10_000)
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"
GIVEN = "鸿鹄骐骥琳琅翡翠瑾瑜璇玑珩珏璋瑗琚琛珣珞"


def canaries() -> list[PersonDetails]:
    """Identity numbers that look real, names that no page contains, and telephone numbers."""
    chance = random.Random(20_27)
    found = []
    for at in range(CANARIES):
        born = f"{chance.randint(1930, 2010)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
        number = f"1101{at // 1000:02}{born}{at % 1000:03}X"
        name = chance.choice(SURNAMES) + chance.choice(GIVEN) + chance.choice(GIVEN)
        found.append(PersonDetails(number, name, f"139{chance.randint(0, 10**8 - 1):08}", number))
    return found


PEOPLE = canaries()
SECRETS = {each for person in PEOPLE for each in (person.person_id, person.name, person.phone)}
LOOKS_LIKE_ONE = re.compile(rf"[0-9]{{17}}X|139[0-9]{{8}}|[{SURNAMES}][{GIVEN}]{{2}}")
ENCOUNTERS = {person.person_id: f"E-{at:03}" for at, person in enumerate(PEOPLE)}


def leaked(text: str) -> list[str]:
    return [each for each in LOOKS_LIKE_ONE.findall(html.unescape(text)) if each in SECRETS]


def household_of(at: int) -> str:
    """Every two belong together, under the number of the first of them."""
    return PEOPLE[at - at % 2].person_id


def spoiled(person: PersonDetails) -> Json:
    """A bill that does not balance, by a sender who writes more about people than he is asked for."""
    extra = {"name": person.name, "contact": {"phone": person.phone}, "remark": f"call {person.phone}"}
    event = bill(f"S-{person.phone[-6:]}", ENCOUNTERS[person.person_id], 3000, person_id=person.person_id)
    return {**event, "total_charge": "1.00", **extra}


@pytest.fixture(scope="module")
def crowd(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """All of them in the ledger and in the directory, every tenth with a refused event."""
    with filled_ledger(postgres_url, 1) as engine, open_desk(engine, tmp_path_factory.mktemp("console")) as desk:
        events = [
            event
            for at, person in enumerate(PEOPLE)
            for event in (
                coverage(f"C-{at}", person_id=person.person_id),
                discharge(f"E-{at:03}", person_id=person.person_id),
                bill(f"S-{at}", f"E-{at:03}", 4000, person_id=person.person_id),
                membership(f"M-{at}", household_of(at), person_id=person.person_id, role=person.name),
            )
        ]
        gifts = [contribution(f"G-{at}", kind="donation", payer=each.name) for at, each in enumerate(PEOPLE[::10])]
        post(engine, [*events, *gifts, *(encode(spoiled(person)) for person in PEOPLE[::10])])
        watched = watches_text(watch_text(unit="household", steps='"5000.00"'))
        publish_watches_text(engine, watched, "li.na", SHARDS, desk.now)
        with engine.begin() as connection:
            people_directory.load(connection, desk.keys, PEOPLE, desk.now())
            for person in PEOPLE[::10]:
                wanted = AidWanted(PersonId(person.person_id), "city", 500_000, False, None, "high bills")
                aid_proposals.propose(connection, f"AID-{person.phone[-6:]}", wanted, "li.na", desk.now())
        desk.catch_up()
        yield desk


def walk(desk: Desk, visitor: Visitor) -> Iterator[httpx.Response]:
    """Every kind of page, for many people."""
    owed = "/payables/payouts?payer=fund&payee=person"
    books = ("/books", "/payables", owed, f"{owed}&kind=recovery", "/recoveries", "/statements", "/clearing")
    pools, aids = ("/pools", "/pools/V1"), ("/aids", "/aids/1", "/aids/2")
    alerts = [f"/alerts/{row.alert_id}" for row in desk.rows("SELECT alert_id FROM alerts LIMIT 20")]
    assert alerts
    rest = ("/claims", "/payouts", *books, *pools, *aids, "/work", "/reissues", "/alerts", *alerts)
    for path in ("/", "/policies", "/refused", "/refused?page=2", "/contradictions", "/exports", *rest):
        yield visitor.get(path)
    for at in range(0, CANARIES, CANARIES // 50):
        yield visitor.get(f"/claims/E-{at:03}")
        yield visitor.get(f"/proofs/E-{at:03}")
        yield visitor.get(f"/persons/{desk.keys.token(PEOPLE[at].person_id, 'person')}")
        yield visitor.get(f"/persons/{desk.keys.token(PEOPLE[at].person_id, 'person')}/aid")
        yield visitor.get(f"/households/{desk.keys.token(household_of(at), 'household')}")
        for typed in (PEOPLE[at].person_id, PEOPLE[at].name, PEOPLE[at].phone):
            yield visitor.search(typed)
    for row in desk.rows("SELECT event_no FROM refusals ORDER BY event_no LIMIT 40"):
        yield visitor.get(f"/refused/{row.event_no}")
    for kind in ("csv", "xlsx", "parquet"):
        for what in ("claims", "payouts", "refused"):
            yield visitor.post("/exports", seen="/exports", what=what, format=kind)


def test_no_page_address_or_log_holds_anybody(crowd: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """For every role, pages, URLs, exports and logs name people only by mask and token."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.INFO)
    pages = 0
    for who in ("auditor", "operator"):
        for answer in walk(crowd, crowd.visitor(who)):
            pages += 1
            assert [] == leaked(answer.content.decode("utf-8", "replace"))
            assert [] == leaked(str(answer.url) + str(answer.headers))
    assert pages > 300
    assert [] == leaked(str(crowd.rows("SELECT code, pointers, zh, en FROM refusals")))
    assert [] == leaked(str(crowd.rows("SELECT * FROM digest_refused")) + str(crowd.rows("SELECT * FROM digest_money")))
    assert [] == leaked("\n".join(record.getMessage() for record in caplog.records))


def test_the_test_can_see(crowd: Desk) -> None:
    """The same search finds them where they are shown on purpose."""
    answer = crowd.visitor("auditor").post("/unmask/claims/E-000", reason="test of the test")
    assert {PEOPLE[0].person_id, PEOPLE[0].name, PEOPLE[0].phone} == set(leaked(answer.text))


def test_an_error_page_quotes_nobody(crowd: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Also when the program fails over somebody's data: neither page nor log says whose."""
    caplog.set_level(logging.DEBUG)
    person = PEOPLE[5]
    with crowd.engine.begin() as connection:
        connection.execute(text("ALTER TABLE decisions DISABLE TRIGGER ALL"))
        connection.execute(
            text("UPDATE decisions SET value = convert_to(:value, 'UTF8') WHERE claim_id = 'E-005'"),
            {"value": f'{{"person_id": "{person.person_id}", "name": "{person.name}"}}'},
        )
    answer = crowd.visitor("auditor").get("/claims/E-005")
    assert 500 == answer.status_code
    assert "程序出错" in answer.text
    assert "Traceback" not in answer.text
    assert [] == leaked(answer.text + caplog.text)
    assert "a page failed" in caplog.text


def test_what_is_looked_at_is_audited(crowd: Desk) -> None:
    """Each page with somebody's data leaves an entry with the reader's name, the page and a token; none says who."""
    visitor = crowd.visitor("finance")
    person = PEOPLE[7]
    token = crowd.keys.token(person.person_id, "person")
    crowd.catch_up()
    before = len(crowd.audited("personal.viewed"))
    for path in ("/claims/E-007", f"/persons/{token}"):
        assert 200 == visitor.get(path).status_code
    visitor.search(person.person_id)
    visitor.post(f"/unmask/persons/{token}", reason="a call of the family")
    crowd.catch_up()
    seen = crowd.audited("personal.viewed")[before:]
    assert ["claim", "person", "search"] == [each["subject"]["page"] for each in seen]
    assert {("operator:finance", token)} == {(each["actor"], each["subject"]["person"]) for each in seen}
    (unmasked,) = [each for each in crowd.audited("personal.unmasked") if each["actor"] == "operator:finance"]
    assert (token, "a call of the family") == (unmasked["subject"]["person"], unmasked["subject"]["reason"])
    acts = crowd.rows("SELECT value FROM audit_entries WHERE kind NOT LIKE 'event.%'")
    mine = [bytes(row.value).decode() for row in acts if b'"actor":"operator:' in bytes(row.value)]
    assert mine
    assert [] == leaked("\n".join(mine))


def test_a_look_that_is_noted_while_others_are_audited_is_audited_too(ledger: Engine) -> None:
    """One that committed late under an earlier number, and one that came in between: each leaves its entry."""
    now = datetime.now(UTC)
    looks = iter(range(10))

    def look(connection: Connection) -> None:
        subject = {"page": f"look-{next(looks)}"}
        note_view(connection, AuditKind.PERSONAL_VIEWED, "li.na", subject, now)

    late = ledger.connect()
    look(late)

    def meanwhile(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("DELETE FROM console_views") and late.in_transaction():
            late.commit()
            with ledger.begin() as another:
                look(another)

    with ledger.begin() as connection:
        look(connection)
    event.listen(ledger, "before_cursor_execute", meanwhile)
    assert [1, 2, 0] == [chain_views(ledger, lambda: now) for _ in range(3)]
    late.close()
    with ledger.connect() as connection:
        query = text("SELECT value FROM audit_entries WHERE kind = 'personal.viewed' ORDER BY seq")
        entries = [json.loads(bytes(value))["subject"]["page"] for value in connection.scalars(query)]
    assert ["look-1", "look-0", "look-2"] == entries


def test_nobody_unmasks_without_right_or_reason(crowd: Desk) -> None:
    """The administrator never, the others not without saying why."""
    assert 403 == crowd.visitor("admin").post("/unmask/claims/E-000", reason="curious").status_code
    answer = crowd.visitor("finance").post("/unmask/claims/E-000", reason="  ")
    assert 422 == answer.status_code
    assert [] == leaked(answer.text)


def test_the_directory_is_encrypted_field_by_field(crowd: Desk) -> None:
    """Nothing of anybody in its rows; a field moved to another row or column, or changed, is not read."""
    rows = crowd.rows("SELECT * FROM people")
    assert CANARIES == len(rows)
    assert [] == leaked(str([[bytes(value) for value in row[2:6]] for row in rows]))
    assert len({bytes(row.name) for row in rows}) == CANARIES
    with crowd.engine.connect() as connection:
        assert PEOPLE[3] == people_directory.find(connection, crowd.keys, PEOPLE[3].person_id)
        assert people_directory.find(connection, crowd.keys, "nobody") is None
        transaction = connection.begin_nested()
        connection.execute(text("UPDATE people SET name = phone"))
        with pytest.raises(NotReadable):
            people_directory.find(connection, crowd.keys, PEOPLE[3].person_id)
        transaction.rollback()
        connection.rollback()


def test_everybody_is_found_by_what_they_are_called(crowd: Desk) -> None:
    """Each of them by name, telephone and identity number, and by nothing of anybody else."""
    by_name = Counter(person.name for person in PEOPLE)
    with crowd.engine.connect() as connection:
        for person in PEOPLE:
            for kind in PersonalKind:
                text, most = getattr(person, kind.value), CANARIES
                found = people_directory.find_by(connection, crowd.keys, kind, text, most)
                assert person in found
                assert {text} == {getattr(each, kind.value) for each in found}
            assert by_name[person.name] == len(
                people_directory.find_by(connection, crowd.keys, PersonalKind.NAME, person.name, CANARIES)
            )


def test_hashes_say_no_more_than_who_is_equal(crowd: Desk, tmp_path: Path) -> None:
    """As many as there are different names and numbers, 32 bytes each, and none that can be made without the key."""
    rows = crowd.rows("SELECT name, phone, id_number FROM people_hashes")
    assert CANARIES == len(rows)
    held = {kind: {bytes(getattr(row, kind.value)) for row in rows} for kind in PersonalKind}
    everything = set[bytes]().union(*held.values())
    assert sum(len({getattr(each, kind.value) for each in PEOPLE}) for kind in PersonalKind) == len(everything)
    assert {32} == {len(each) for each in everything}
    add_key(tmp_path / "other")
    add_key(tmp_path / "other", finding=True)
    other = read_keyring(tmp_path / "other").finding
    assert other is not None
    for person in PEOPLE:
        for kind in PersonalKind:
            text = getattr(person, kind.value)
            assert other.digest(kind, text, other.newest) not in everything
            assert hashlib.sha256(text.encode()).digest() not in everything


@pytest.mark.parametrize("field", people_directory.FIELDS)
def test_a_field_of_one_person_is_not_read_as_another_s(ledger: Engine, field: str) -> None:
    """Whoever can write to the table cannot give somebody the name or the number of somebody else."""
    keys, moment = Keyring({"k1": b"1" * 32}), datetime.now(UTC)
    with ledger.begin() as connection:
        people_directory.load(connection, keys, PEOPLE[:2], moment)
        swap = f"UPDATE people a SET {field} = b.{field} FROM people b WHERE a.person_index <> b.person_index"
        assert 2 == connection.execute(text(swap)).rowcount
        for person in PEOPLE[:2]:
            with pytest.raises(NotReadable):
                people_directory.find(connection, keys, person.person_id)


def people_by_key(connection: Connection) -> dict[str, int]:
    """How many people are encrypted under which key."""
    rows = connection.execute(select(people.c.key_id, func.count()).group_by(people.c.key_id))
    return {row[0]: row[1] for row in rows}


def test_keys_rotate(desk: Desk, tmp_path: Path) -> None:
    """A new key reads and finds what the old one wrote and re-encrypts it in batches; then the old one can go."""
    file = tmp_path / "ring"
    old = add_key(file)
    first = read_keyring(file)
    with desk.engine.begin() as connection:
        people_directory.load(connection, first, PEOPLE[:25], desk.now())
    new = add_key(file)
    both = read_keyring(file)
    with desk.engine.begin() as connection:
        assert PEOPLE[3] == people_directory.find(connection, both, PEOPLE[3].person_id)
        assert {old: 25} == people_by_key(connection)
        assert [10, 10, 5, 0] == [people_directory.rotate(connection, both, desk.now(), 10) for _ in range(4)]
        assert {new: 25} == people_by_key(connection)
    file.write_text(file.read_text().splitlines()[1] + "\n")
    alone = read_keyring(file)
    with desk.engine.begin() as connection:
        assert PEOPLE[3] == people_directory.find(connection, alone, PEOPLE[3].person_id)
    token = first.token("P1", "person")
    assert "P1" == both.untoken(token, "person")
    with pytest.raises(NotReadable):
        alone.untoken(token, "person")


def test_a_token_says_nothing_and_cannot_be_made(desk: Desk) -> None:
    """One person, one token; for another purpose, changed, or made elsewhere it is none."""
    token = desk.keys.token("11010519491231002X", "person")
    assert token == desk.keys.token("11010519491231002X", "person")
    assert "11010519491231002X" not in token
    for wrong in (token[:-2] + "AA", token.replace(".", ".A"), token.partition(".")[2], "", ".", "x.y", "é.y"):
        with pytest.raises(NotReadable):
            desk.keys.untoken(wrong, "person")
    with pytest.raises(NotReadable):
        desk.keys.untoken(token, "query")
    assert 404 == desk.visitor("auditor").get(f"/search/{token}").status_code


@pytest.mark.parametrize("content", ["", "a b c\n", "k1 c2hvcnQ=\n", "k1 !!!\n", "x" * 40 + "\n"])
def test_a_key_file_that_cannot_be_used(tmp_path: Path, content: str) -> None:
    """Is named with its line, and nothing of its keys is shown; so is one that others may read."""
    file = tmp_path / "ring"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(KeyringUnusable, match="ring") as told:
        read_keyring(file)
    assert "c2hvcnQ" not in str(told.value)
    add_key(tmp_path / "good")
    for others in (0o640, 0o620, 0o604):
        (tmp_path / "good").chmod(others)
        with pytest.raises(KeyringUnusable, match="chmod 600"):
            read_keyring(tmp_path / "good")


def test_masks() -> None:
    """As people know them; whatever comes, more is covered than shown, and never all shown."""
    assert "110105********002X" == mask_id("11010519491231002X")
    assert "张*" == mask_name("张三")
    assert "欧**" == mask_name("欧阳修")
    assert "138****5678" == mask_phone("13812345678")
    assert "call 138****5678, 110105********002X!" == mask_text("call 13812345678, 11010519491231002X!")
    for length in range(1, 40):
        number = "123456789012345678901234567890123456789"[:length]
        assert "*" in mask_id(number)
        assert mask_id(number).count("*") >= min(2, length)


def test_a_masked_event_shows_what_is_wrong_and_not_who(desk: Desk) -> None:
    """Amounts, dates and bill ids stay; names, numbers and unknown fields are masked."""
    shown = masked_event(encode(spoiled(PEOPLE[0])))
    assert shown is not None
    assert [] == leaked(shown)
    assert '"total_charge": "1.00"' in shown
    numbers = masked_event(b'{"copay": 1234.50, "phone": 13812345678, "final": true, "version": 1}')
    assert numbers is not None
    assert '"copay": 1234.50,' in numbers
    assert '"phone": "***"' in numbers
    assert '"version": 1' in numbers
    assert masked_event(b"{") is None
    assert masked_event(b"[1]") is None
    assert masked_event(b"\xff") is None


def test_a_ring_needs_a_key() -> None:
    """And keys of one ring do not read each other's fields under another place."""
    ring = Keyring({"k1": b"1" * 32, "k2": b"2" * 32})
    sealed = ring.seal("张三", "people/name/00")
    assert "张三" == ring.open(sealed, "k2", "people/name/00")
    for key_id, place in (("k1", "people/name/00"), ("k2", "people/phone/00"), ("k3", "people/name/00")):
        with pytest.raises(NotReadable):
            ring.open(sealed, key_id, place)


def test_publishing_is_possible_with_identities(desk: Desk) -> None:
    """A ledger whose persons are identity numbers shows decided claims by mask."""
    publish_two(desk.engine)
    person = PEOPLE[0].person_id
    post(desk.engine, [coverage("C1", person_id=person), discharge("E1", person_id=person), bill(person_id=person)])
    desk.catch_up()
    page = desk.visitor("finance").get("/claims/E1").text
    assert mask_id(person) in page
    assert [] == leaked(page)
