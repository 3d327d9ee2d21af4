"""Planted bugs: which place of a setting counts, names that are none, and what of them is shown."""

from __future__ import annotations

from tests.planted.bug import Bug

SETTINGS = "tests/unit/test_settings.py"
COMMAND = "tests/contracts/test_settings_command.py"

BUGS = (
    Bug(
        "settings",
        "the-file-beats-the-environment",
        "infra/settings_in_force.py",
        "    values = {**in_file, **in_environment}\n",
        "    values = {**in_environment, **in_file}\n",
        (f"{SETTINGS}::test_the_environment_comes_before_the_file",),
    ),
    Bug(
        "settings",
        "a-secret-file-beats-the-environment",
        "infra/settings_in_force.py",
        "is not None and name not in in_environment:",
        "is not None:",
        (f"{SETTINGS}::test_the_environment_comes_before_a_secret_file",),
    ),
    Bug(
        "settings",
        "only-the-environment-names-secret-files",
        "infra/settings_in_force.py",
        "        if values.get(holder) is not None and",
        "        if in_environment.get(holder) is not None and",
        (f"{SETTINGS}::test_a_secret_file_comes_before_the_file_of_settings",),
    ),
    Bug(
        "settings",
        "a-file-that-is-not-there-is-empty",
        "infra/settings_in_force.py",
        """        with file.open("rb") as opened:  # a file that cannot be opened would count as an empty one
            opened.read(1)
""",
        "",
        (f"{SETTINGS}::test_another_file_of_settings_can_be_named",),
    ),
    Bug(
        "settings",
        "misspelt-variables-count-for-nothing",
        "infra/settings_in_force.py",
        "    _refuse_unknown_variables(os.environ)\n",
        "",
        (
            f"{COMMAND}::test_a_misspelt_setting_ends_a_command",
            f"{SETTINGS}::test_a_variable_that_is_no_setting_is_refused",
        ),
    ),
    Bug(
        "settings",
        "true-is-one",
        "infra/settings_in_force.py",
        "isinstance(value, bool) or not isinstance(value, str | int | float)",
        "not isinstance(value, str | int | float)",
        (f"{SETTINGS}::test_a_mistake_in_the_file_is_named",),
    ),
    Bug(
        "settings",
        "the-ledgers-password-is-shown",
        "cli/servers/settings_command.py",
        'COVERED if parts["password"] else ""',
        'parts["password"][1:] if parts["password"] else ""',
        (f"{COMMAND}::test_no_secret_is_shown",),
    ),
    Bug(
        "settings",
        "a-password-may-hold-an-at",
        "cli/servers/settings_command.py",
        "(?P<password>:[^@/?#\\s]*)",
        "(?P<password>:[^/?#\\s]*?)",
        (f"{COMMAND}::test_an_address_that_can_be_read_in_two_ways_is_not_shown",),
    ),
)
