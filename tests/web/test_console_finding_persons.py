"""Persons are found by name, identity and telephone number: exactly, masked, explained, audited, not without end."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from infra.keys.personal_data import KeyringUnusable, add_key, read_keyring
from infra.ledger import people_directory
from infra.ledger.people_directory import PersonDetails
from schemas.searched_words import PersonalKind
from tests.support.builders import coverage, discharge
from tests.web.browsing import WIDTHS, faults_of, overhang, shoot, signed_in
from tests.web.desk import Desk, Visitor
from tests.web.person_searches import ASKED, FINDING_OFF, MORE, people_found
from tests.web.town import post
from tests.web.words import words

LI, WANG, ALONE = (
    PersonDetails("P-1", "张珊瑚", "13812345678", "11010519491231002X"),
    PersonDetails("P-2", "张珊瑚", "0510-82345678", "320202197001011234"),
    PersonDetails("P-3", "阿依古丽·买买提", "", "650102198503040021"),
)


@pytest.fixture
def registry(desk: Desk) -> Desk:
    """Two persons of one name with a stay each, and one of whom the ledger has nothing."""
    events = [[coverage(f"C-{at}", person_id=at), discharge(f"E-{at}", person_id=at)] for at in ("P-1", "P-2")]
    post(desk.engine, [each for pair in events for each in pair])
    load(desk, LI, WANG, ALONE)
    desk.catch_up()
    return desk


def load(desk: Desk, *persons: PersonDetails) -> None:
    with desk.engine.begin() as connection:
        people_directory.load(connection, desk.keys, persons, desk.now())


def found(desk: Desk, kind: PersonalKind, text: str) -> list[str]:
    with desk.engine.connect() as connection:
        return sorted(each.person_id for each in people_directory.find_by(connection, desk.keys, kind, text, 50))


@pytest.mark.parametrize(
    ("typed", "zh", "en", "count"),
    [
        ("张 珊瑚", "姓名一致", "the person's name", 2),
        ("+86 138 1234 5678", "电话号码一致", "the person's telephone number", 1),
        ("11010519491231002x", "身份证号一致", "the person's identity number", 1),
    ],
)
def test_a_person_is_found_and_covered(registry: Desk, typed: str, zh: str, en: str, count: int) -> None:
    """Persons and their claims, each with the reason, in both languages; nobody in clear, not even what was typed."""
    for language, why in (("zh", zh), ("en", en)):
        answer = registry.visitor("operator", language).search(typed)
        assert [why] * count == [each.why for each in people_found(answer.text)]
        assert count == len(re.findall(r'<tr><td[^>]*><a href="/claims/E-P-[12]">', answer.text))
        assert 2 * count == answer.text.count(f"<div>{why.replace(chr(39), '&#39;')}</div>")
        for secret in (typed, *LI, *WANG):
            assert secret not in answer.text.replace("E-P-", "") + str(answer.url)
        assert "张**" in answer.text
        assert "110105********002X" in answer.text


@pytest.mark.parametrize(
    "typed",
    [
        "张珊",
        "张珊瑚儿",
        "珊瑚",
        "张%",
        "张_瑚",
        "1381234567",
        "138123456789",
        "110105194912310021",
        "1101051949123100",
    ],
)
def test_nothing_but_the_whole_is_found(registry: Desk, typed: str) -> None:
    """Neither a part, nor more, nor a pattern; the page says that it has to be the whole."""
    page = registry.visitor("finance").search(typed).text
    assert [] == people_found(page)
    assert "请输入完整的编号、姓名或号码" in page


def test_who_is_only_in_the_directory_has_no_page(registry: Desk) -> None:
    """The hit says that the ledger has nothing, and leads nowhere."""
    (hit,) = people_found(registry.visitor("finance").search("阿依古丽•买买提").text)
    assert (None, "姓名一致") == (hit.link, hit.why)
    assert "账本里还没有记录" in registry.visitor("finance").search("阿依古丽·买买提").text


@pytest.mark.parametrize(("count", "listed"), [(20, 20), (21, 0)])
def test_a_common_name_lists_nobody_in_part(desk: Desk, count: int, listed: int) -> None:
    """Up to twenty are listed; of more it is said to be more exact, in both languages, and audited as it was."""
    load(desk, *(PersonDetails(f"P-{at}", "王伟", "", "") for at in range(count)))
    for language in ("zh", "en"):
        page = desk.visitor("finance", language).search("王伟").text
        assert listed == len(people_found(page))
        assert (MORE[language] in words(page)) == (listed == 0)
    desk.catch_up()
    look = next(each["subject"] for each in desk.audited("personal.viewed") if "persons" in each["subject"])
    assert str(listed or "more than 20") == look["persons"]


def test_without_a_finding_key_it_is_said(registry: Desk) -> None:
    """Also with a key under which there are no hashes yet; nobody is told that there is no such person."""
    visitor, keys = {each: registry.visitor("finance", each) for each in ("zh", "en")}, registry.keys.finding
    registry.keys.finding = None
    for language, page in visitor.items():
        assert FINDING_OFF[language] in words(page.search(LI.name).text)
    registry.keys.finding = keys
    with registry.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM people_hashes")
    for language, page in visitor.items():
        said = words(page.search(LI.phone).text)
        assert FINDING_OFF[language] in said
        assert "账本里没有" not in said
        assert "No such number" not in said
    with registry.engine.begin() as connection:
        assert 3 == len(people_directory.hash_late(connection, registry.keys, 10))
    answer = visitor["zh"].search(LI.name).text
    assert FINDING_OFF["zh"] not in words(answer)
    assert 2 == len(people_found(answer))


def test_finding_keys_rotate(desk: Desk, tmp_path: Path) -> None:
    """Under two keys all are found; once everybody is hashed again, in batches, the old one finds nobody."""
    file = tmp_path / "ring"
    add_key(file)
    add_key(file, finding=True)
    desk.keys = old = read_keyring(file)
    load(desk, LI, WANG, ALONE)
    add_key(file, finding=True)
    desk.keys = both = read_keyring(file)
    assert both.finding is not None
    load(desk, LI)
    assert ["P-1", "P-2"] == found(desk, PersonalKind.NAME, LI.name)
    with desk.engine.begin() as connection:
        (first,) = people_directory.hash_late(connection, both, 1)
        (second,) = people_directory.hash_late(connection, both, 5, first)
        assert [] == people_directory.hash_late(connection, both, 5)
    assert first < second
    assert {both.finding.newest} == {row.key_id for row in desk.rows("SELECT key_id FROM people_hashes")}
    file.write_text("".join(line for at, line in enumerate(file.open()) if at != 1))
    desk.keys = read_keyring(file)
    assert ["P-3"] == found(desk, PersonalKind.ID_NUMBER, ALONE.id_number)
    desk.keys = old
    assert [] == found(desk, PersonalKind.ID_NUMBER, ALONE.id_number)


def test_who_is_encrypted_anew_is_still_found(desk: Desk, tmp_path: Path) -> None:
    """Rotating the key of the fields moves a person's row; the hashes go with it."""
    file = tmp_path / "ring"
    add_key(file)
    add_key(file, finding=True)
    desk.keys = read_keyring(file)
    load(desk, LI, WANG)
    add_key(file)
    desk.keys = read_keyring(file)
    with desk.engine.begin() as connection:
        assert 2 == people_directory.rotate(connection, desk.keys, desk.now(), 10)
        assert [] == people_directory.hash_late(connection, desk.keys, 10)
    assert ["P-1", "P-2"] == found(desk, PersonalKind.NAME, LI.name)
    assert 2 == desk.value("SELECT count(*) FROM people_hashes")


def test_who_is_loaded_again_under_a_new_key_is_there_once(desk: Desk, tmp_path: Path) -> None:
    """With what was loaded last, before and after everything is encrypted anew."""
    file = tmp_path / "ring"
    add_key(file)
    add_key(file, finding=True)
    desk.keys = old = read_keyring(file)
    load(desk, LI, WANG)
    add_key(file)
    desk.keys = new = read_keyring(file)
    load(desk, LI._replace(phone="13912345678"))
    desk.keys = old
    load(desk, LI)  # by a process that does not know the new key yet
    desk.keys = new
    with desk.engine.begin() as connection:
        assert 2 == people_directory.rotate(connection, new, desk.now(), 10)
    assert [[], ["P-1"]] == [found(desk, PersonalKind.PHONE, number) for number in (LI.phone, "13912345678")]
    assert 2 == desk.value("SELECT count(*) FROM people")


def test_who_is_encrypted_with_a_key_that_is_not_here_is_not_found(desk: Desk, tmp_path: Path) -> None:
    """A console that was not started again since there is a new key says that nobody is found, and does not fail."""
    file = tmp_path / "ring"
    add_key(file)
    add_key(file, finding=True)
    old = read_keyring(file)
    add_key(file)
    desk.keys = read_keyring(file)
    load(desk, LI)
    desk.keys = old
    assert [] == found(desk, PersonalKind.NAME, LI.name)


def test_a_late_hash_finds_nobody_and_is_made_again(registry: Desk) -> None:
    """Who was loaded anew without a finding key is not found by what they were called before."""
    keys, registry.keys.finding = registry.keys.finding, None
    load(registry, LI._replace(name="李珊瑚", phone=""))
    registry.keys.finding = keys
    assert [] == found(registry, PersonalKind.PHONE, LI.phone)
    assert ["P-2"] == found(registry, PersonalKind.NAME, LI.name)
    with registry.engine.begin() as connection:
        assert 1 == len(people_directory.hash_late(connection, registry.keys, 10))
    assert ["P-1"] == found(registry, PersonalKind.NAME, "李珊瑚")


def test_a_hash_that_was_moved_shows_nobody(registry: Desk) -> None:
    """Whoever can write to the table cannot make the search show somebody else under a name."""
    with registry.engine.begin() as connection:
        swap = "UPDATE people_hashes a SET id_number = b.id_number FROM people_hashes b WHERE a.name <> b.name"
        assert connection.exec_driver_sql(swap).rowcount > 1
    assert [] == found(registry, PersonalKind.ID_NUMBER, ALONE.id_number)


def test_each_search_is_audited_without_its_words(registry: Desk) -> None:
    """Who, what kind of word, and how many were found, also when it was nobody; and whose data was shown."""
    visitor = registry.visitor("finance")
    registry.catch_up()
    before = len(registry.audited("personal.viewed"))
    for typed in (LI.name, LI.phone, "周不在", "E-P-1", "E-0"):
        visitor.search(typed)
    registry.catch_up()
    seen = [each["subject"] for each in registry.audited("personal.viewed")[before:]]
    tokens = {at: registry.keys.token(at, "person") for at in ("P-1", "P-2")}
    told = [{name: each[name] for name in each if name not in ("page", "viewed_at")} for each in seen]
    assert [
        {"by": "name", "claims": "2", "persons": "2"},
        {"person": tokens["P-1"]},
        {"person": tokens["P-2"]},
        {"by": "phone", "claims": "1", "persons": "1", "person": tokens["P-1"]},
        {"by": "name", "claims": "0", "persons": "0"},
        {"claims": "1", "persons": "0"},
    ] == told
    for secret in (LI.name, LI.phone, LI.id_number, "周不在"):
        assert secret not in json.dumps(seen, ensure_ascii=False)


def test_nobody_searches_for_persons_without_end(registry: Desk) -> None:
    """The next after the last of an hour is refused, in both languages; other numbers never are."""
    visitor = registry.visitor("finance")
    assert 200 == visitor.search(LI.name).status_code
    with registry.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE console_users SET person_searches = 199 WHERE name = 'finance'")
    assert 200 == visitor.search(LI.name).status_code
    answer = visitor.post("/search", seen="/search", wanted=LI.phone)
    assert (429, True) == (answer.status_code, ASKED["zh"] in answer.text)
    assert LI.phone not in answer.text
    assert 200 == visitor.search("E-P-1").status_code
    assert 200 == registry.visitor("operator").search(LI.name).status_code
    english = registry.visitor("finance", "en").post("/search", seen="/search", wanted=LI.name)
    assert (429, True) == (english.status_code, ASKED["en"] in english.text)
    registry.ahead = timedelta(minutes=61)
    assert 200 == registry.visitor("finance").search(LI.name).status_code


def test_who_may_not_see_claims_finds_nobody(registry: Desk) -> None:
    """The administrator, who could have loaded them, is refused before anything is looked up."""
    visitor = registry.visitor("admin")
    assert 403 == visitor.post("/search", csrf=_secret(visitor), wanted=LI.name).status_code
    assert 403 == visitor.get(f"/search/{registry.keys.token(LI.name, 'query')}").status_code
    assert 0 == registry.value("SELECT person_searches FROM console_users WHERE name = 'admin'")


def _secret(visitor: Visitor) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', visitor.get("/").text)
    assert found
    return found[1]


@pytest.mark.parametrize("content", ["{0} other", "{0} finding finding"])
def test_a_key_for_something_else_is_refused(tmp_path: Path, content: str) -> None:
    """A word after a key that this program does not know; and a file that has finding keys alone."""
    file = tmp_path / "ring"
    add_key(file)
    line = file.read_text().strip()
    file.write_text(content.format(line) + "\n")
    with pytest.raises(KeyringUnusable, match="line 1"):
        read_keyring(file)
    file.write_text(f"{line} finding\n")
    with pytest.raises(KeyringUnusable, match="no key"):
        read_keyring(file)
    with pytest.raises(KeyringUnusable):
        add_key(tmp_path / "none", finding=True)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", WIDTHS)
def test_hits_fit_every_screen(browser: Browser, registry: Desk, language: str, width: str) -> None:
    """Typed and found without JavaScript, nothing wider than the screen; axe finds nothing serious."""
    context, page, complaints = signed_in(browser, registry, "finance", language, WIDTHS[width])
    page.goto(f"{registry.address}/search")
    page.fill("#wanted", LI.name)
    page.click("main form button")
    assert 2 == page.locator("td:has-text('张**')").count()
    assert 0 == overhang(page)
    shoot(page, f"found-persons-{language}-{width}")
    assert [] == complaints
    context.close()
    context, page, _ = signed_in(browser, registry, "finance", language, WIDTHS[width], checked=True)
    page.goto(f"{registry.address}/search/{registry.keys.token(LI.name, 'query')}")
    assert [] == faults_of(page)
    context.close()
