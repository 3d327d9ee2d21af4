"""Planted bugs: who gets into the console, and with what."""

from __future__ import annotations

from tests.planted.bug import Bug

SECOND = "tests/web/test_second_factor.py"
CODES = "tests/unit/test_one_time_codes.py"

BUGS = (
    Bug(
        "signing",
        "the-password-is-enough",
        "acts/console_users.py",
        "            return open_session(connection, user.name, moment, awaits_code=True)\n",
        "            return let_in(connection, user, moment)\n",
        (f"{SECOND}::test_a_password_alone_opens_nothing_any_more",),
    ),
    Bug(
        "signing",
        "pages-open-before-the-code",
        "web/console/desk.py",
        "                if visit.barred is not None and request.url.path not in (visit.barred, SIGN_OUT):\n",
        '                if visit.barred is not None and request.url.path in ("/", SIGN_IN):\n',
        (f"{SECOND}::test_a_password_alone_opens_nothing_any_more",),
    ),
    Bug(
        "signing",
        "a-code-is-taken-again",
        "infra/keys/one_time_codes.py",
        " and step > after:",
        ":",
        (f"{CODES}::test_a_step_is_taken_once", f"{SECOND}::test_a_code_is_taken_once"),
    ),
    Bug(
        "signing",
        "the-step-is-not-noted",
        "acts/second_factor.py",
        "    second_factor_rows.used(connection, user.name, step, factor.recovery_sha256)\n",
        "",
        (f"{SECOND}::test_a_code_is_taken_once",),
    ),
    Bug(
        "signing",
        "a-recovery-code-stays",
        "acts/second_factor.py",
        "        second_factor_rows.used(connection, user.name, factor.last_step, left)\n",
        "",
        (f"{SECOND}::test_a_recovery_code_works_once",),
    ),
    Bug(
        "signing",
        "older-recovery-codes-stay",
        "acts/second_factor.py",
        "        second_factor_rows.used(connection, user_name, factor.last_step, _hashes(codes))\n",
        "        both = [*factor.recovery_sha256, *_hashes(codes)]\n"
        "        second_factor_rows.used(connection, user_name, factor.last_step, both)\n",
        (f"{SECOND}::test_a_recovery_code_works_once",),
    ),
    Bug(
        "signing",
        "codes-can-be-tried-for-ever",
        "acts/second_factor.py",
        "        how = _use(connection, keys, user, code, moment)\n        if how is None:\n"
        "            count_failure(connection, user, moment)\n",
        "        how = _use(connection, keys, user, code, moment)\n        if how is None:\n",
        (f"{SECOND}::test_wrong_codes_lock_out_as_wrong_passwords_do",),
    ),
    Bug(
        "signing",
        "a-password-forgives-wrong-codes",
        "acts/console_users.py",
        "        if second_factor_rows.find(connection, user.name) is not None:\n",
        "        if second_factor_rows.find(connection, user.name) is not None:\n"
        "            console_user_rows.change(connection, user._replace(failures=0))\n",
        (f"{SECOND}::test_wrong_codes_lock_out_as_wrong_passwords_do",),
    ),
    Bug(
        "signing",
        "a-code-is-waited-for-for-ever",
        "acts/console_users.py",
        "moment - session.created_at > CODE_WAIT:",
        "moment - session.created_at > SESSION_MAX:",
        (f"{SECOND}::test_a_code_is_not_waited_for_for_ever",),
    ),
    Bug(
        "signing",
        "older-sessions-outlive-the-set-up",
        "acts/second_factor.py",
        "        console_user_rows.close_sessions_of(connection, user_name)\n",
        "",
        (f"{SECOND}::test_setting_up_ends_the_other_sessions",),
    ),
    Bug(
        "signing",
        "a-reset-says-who-called",
        "web/console/users_page.py",
        "    reason = mask_text(visit.reason())\n",
        "    reason = visit.reason()\n",
        (f"{SECOND}::test_an_administrator_resets_what_is_lost",),
    ),
    Bug(
        "signing",
        "only-everybody-needs-codes",
        "schemas/access/console_rights.py",
        ' or (rule == "approvers" and not APPROVES.isdisjoint(RIGHTS[role]))',
        "",
        (f"{SECOND}::test_who_approves_money_needs_one_where_the_setting_says_so",),
    ),
    Bug(
        "signing",
        "a-secret-fits-any-user",
        "infra/ledger/second_factor_rows.py",
        '    return f"second_factors/secret/{user_name}"\n',
        '    return "second_factors/secret"\n',
        (f"{SECOND}::test_nothing_of_it_is_stored_in_clear",),
    ),
    Bug(
        "signing",
        "a-rotation-forgets-the-secrets",
        "infra/ledger/second_factor_rows.py",
        "            .values(key_id=keys.newest, secret=sealed)\n",
        "            .values(key_id=keys.newest)\n",
        (f"{SECOND}::test_a_rotation_takes_the_secrets_along",),
    ),
)
