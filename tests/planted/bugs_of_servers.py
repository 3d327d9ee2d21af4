"""Planted bugs: the servers that are tried by hand."""

from __future__ import annotations

from tests.planted.bug import Bug

BY_HAND = "tests/broker/test_by_hand.py"

BUGS = (
    Bug(
        "servers",
        "what-is-kept-is-only-kafkas",
        "cli/servers/servers_command.py",
        'started_postgres(keep and keep / "postgres")',
        "started_postgres(None)",
        (f"{BY_HAND}::test_the_servers_keep_their_data_where_they_are_told_to",),
    ),
    Bug(
        "servers",
        "sigterm-ends-the-servers-as-a-kill-does",
        "cli/servers/servers_command.py",
        "    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end it in the same orderly way\n",
        "",
        (f"{BY_HAND}::test_the_servers_leave_the_settings_alone",),
    ),
)
