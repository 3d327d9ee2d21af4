"""Bugs of the messages that are written without their models, and fields that only the models have."""

from __future__ import annotations

from tests.planted.bug import Bug

_TESTS = "tests/properties/test_direct_messages.py"

BUGS = (
    Bug(
        "messages",
        "a-new-field-of-an-instruction-is-forgotten",
        "schemas/outbound.py",
        "    reversal_of: str | None = None\n",
        '    reversal_of: str | None = None\n    currency: str = "CNY"\n',
        (
            f"{_TESTS}::test_an_instruction_of_any_names_is_canonical",
            f"{_TESTS}::test_no_field_of_a_message_is_forgotten",
        ),
    ),
    Bug(
        "messages",
        "a-new-field-of-an-explanation-is-forgotten",
        "schemas/decisions.py",
        "    inputs: dict[str, str]\n",
        "    inputs: dict[str, str]\n    law: str | None = None\n",
        (
            f"{_TESTS}::test_what_random_events_send_is_canonical",
            f"{_TESTS}::test_a_decision_of_any_names_is_canonical",
            f"{_TESTS}::test_no_field_of_a_message_is_forgotten",
        ),
    ),
    Bug(
        "messages",
        "a-new-field-of-an-audit-entry-is-forgotten",
        "schemas/outbound.py",
        "    content_sha256: str\n",
        "    content_sha256: str\n    place: int = 0\n",
        (
            f"{_TESTS}::test_an_audit_entry_of_any_names_is_canonical",
            f"{_TESTS}::test_no_field_of_a_message_is_forgotten",
        ),
    ),
    Bug(
        "messages",
        "a-reissue-of-nothing-is-said",
        "handlers/fast/direct_messages.py",
        '    if reissue_of is not None:\n        order["reissue_of"] = reissue_of\n',
        '    order["reissue_of"] = reissue_of\n',
        (
            f"{_TESTS}::test_what_random_events_send_is_canonical",
            f"{_TESTS}::test_an_instruction_of_any_names_is_canonical",
            f"{_TESTS}::test_a_reissue_is_canonical",
        ),
    ),
    Bug(
        "messages",
        "a-scheme-that-pays-has-a-reason",
        "handlers/fast/direct_messages.py",
        '    if reason is not None:\n        line["reason"] = reason\n',
        '    line["reason"] = reason\n',
        (
            f"{_TESTS}::test_what_random_events_send_is_canonical",
            f"{_TESTS}::test_a_decision_of_any_names_is_canonical",
        ),
    ),
    Bug(
        "messages",
        "the-patient-pays-the-whole-burden",
        "handlers/fast/direct_messages.py",
        "format_yuan(row.patient_pays)",
        "format_yuan(row.personal_burden)",
        (
            f"{_TESTS}::test_what_a_city_sends_is_canonical",
            f"{_TESTS}::test_a_decision_of_any_names_is_canonical",
        ),
    ),
    Bug(
        "messages",
        "the-hash-stands-in-every-place-like-its-own",
        "handlers/fast/direct_messages.py",
        """"kind":'.encode(), 1)""",
        """"kind":'.encode())""",
        (
            f"{_TESTS}::test_what_a_city_sends_is_canonical",
            f"{_TESTS}::test_what_random_events_send_is_canonical",
        ),
    ),
    Bug(
        "messages",
        "the-hash-leaves-out-the-last-byte",
        "handlers/fast/direct_messages.py",
        "    own_hash = sha256_hex(bare)\n",
        "    own_hash = sha256_hex(bare[:-1])\n",
        (
            f"{_TESTS}::test_an_audit_entry_of_any_names_is_canonical",
            "tests/properties/test_audit_log.py::test_an_entry_is_canonical_json_of_rfc_8785",
        ),
    ),
)
