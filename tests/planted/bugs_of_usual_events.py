"""Bugs of the way in which events are read without their models."""

from __future__ import annotations

from tests.planted.bug import Bug

_TESTS = "tests/properties/test_usual_events.py"

BUGS = (
    Bug(
        "reading",
        "a-number-is-a-float",
        "handlers/fast/usual_events.py",
        "            document = parse_with_literals(value)\n",
        "            pass\n",
        (f"{_TESTS}::test_an_event_with_one_bent_member_is_read_alike",),
    ),
    Bug(
        "reading",
        "a-list-is-read-anywhere",
        "handlers/fast/usual_events.py",
        '        if list in kinds and (type(listed) is not list or value.count(b"[") > 1):\n',
        "        if False:\n",
        (f"{_TESTS}::test_an_event_with_one_bent_member_is_read_alike",),
    ),
    Bug(
        "reading",
        "a-name-twice-behind-a-blank",
        "handlers/fast/usual_events.py",
        "    return value.translate(None, BLANKS).count(",
        "    return value.count(",
        (f"{_TESTS}::test_an_event_with_one_bent_member_is_read_alike",),
    ),
    Bug(
        "reading",
        "a-control-character-in-an-id",
        "handlers/fast/usual_events.py",
        '    if b"\\\\" in value or b"\\x7f" in value:',
        '    if b"\\\\" in value:',
        (f"{_TESTS}::test_an_event_with_one_bent_member_is_read_alike",),
    ),
    Bug(
        "reading",
        "a-week-has-a-day",
        "handlers/fast/usual_events.py",
        "        if not _DAY.fullmatch(text):",
        "        if len(text) != 10:",
        (f"{_TESTS}::test_an_event_with_one_bent_member_is_read_alike",),
    ),
    Bug(
        "reading",
        "a-yuan-without-its-whole",
        "handlers/fast/usual_events.py",
        'len(amount) > 3 and amount[-3] == ".":',
        'amount[-3:-2] == ".":',
        (f"{_TESTS}::test_an_event_with_one_bent_member_is_read_alike",),
    ),
    Bug(
        "reading",
        "digits-of-any-script",
        "handlers/fast/usual_events.py",
        "digits.isdecimal() and digits.isascii()",
        "digits.isdecimal()",
        (f"{_TESTS}::test_an_event_with_one_bent_member_is_read_alike",),
    ),
    Bug(
        "reading",
        "an-id-of-any-length",
        "handlers/fast/usual_events.py",
        "if type(value) is not str or not 0 < len(value) <= 200:",
        "if type(value) is not str or not value:",
        (f"{_TESTS}::test_an_event_with_one_bent_member_is_read_alike",),
    ),
    Bug(
        "reading",
        "true-is-a-version",
        "handlers/fast/usual_events.py",
        "if type(value) is not int or not",
        "if not",
        (f"{_TESTS}::test_an_event_with_one_bent_member_is_read_alike",),
    ),
    Bug(
        "reading",
        "a-usual-event-may-come-from-any-topic",
        "handlers/fast/usual_events.py",
        "        if topic is not None and topic != form.topic:",
        '        if topic is not None and topic == "":',
        (f"{_TESTS}::test_every_type_of_event_has_a_usual_form",),
    ),
)
