"""Bugs of what is installed, and of the files that run it."""

from __future__ import annotations

from tests.planted.bug import Bug

EXTRAS = "tests/unit/test_extras.py"
CONTAINERS = "tests/contracts/test_containers.py"

BUGS = (
    Bug(
        "deployment",
        "the-list-of-commands-needs-arrow",
        "cli/main.py",
        "    if sentence is None:\n        raise error\n",
        "    raise error\n",
        (f"{EXTRAS}::test_all_commands_are_listed_without_extras",),
    ),
    Bug(
        "deployment",
        "exports-load-arrow-at-their-start",
        "infra/files/export_files.py",
        "import xlsxwriter\n",
        "import pyarrow  # noqa: F401\nimport xlsxwriter\n",
        (f"{EXTRAS}::test_exports_offer_parquet_only_with_its_extra",),
    ),
    Bug(
        "deployment",
        "a-missing-extra-is-a-bug-of-ours",
        "cli/terminal/last_resort.py",
        "    if sentence := missing_extra(error):\n        return sentence, UNUSABLE\n",
        "",
        (f"{EXTRAS}::test_a_report_with_charts_says_which_extra_it_needs_before_it_decides_anything",),
    ),
    Bug(
        "deployment",
        "pages-draw-whatever-is-installed",
        "web/console/charts.py",
        "sort_keys=True))) if DRAWN else None",
        "sort_keys=True)))",
        (f"{EXTRAS}::test_without_its_extra_a_page_has_no_chart",),
    ),
    Bug(
        "deployment",
        "the-api-is-open-to-the-network",
        "compose.yaml",
        '"127.0.0.1:8080:8080"',
        '"8080:8080"',
        (f"{CONTAINERS}::test_no_port_is_open_beyond_loopback",),
    ),
    Bug(
        "deployment",
        "grafana-runs-with-every-capability",
        "compose.yaml",
        "x-restricted: &restricted\n  read_only: true\n  cap_drop: [ALL]\n",
        "x-restricted: &restricted\n  read_only: true\n  cap_drop: []\n",
        (f"{CONTAINERS}::test_every_service_is_restricted",),
    ),
    Bug(
        "deployment",
        "the-relay-signs-in-as-the-owner",
        "compose.yaml",
        "secrets: [relay_database_url]",
        "secrets: [relay_database_url, owner_database_url]",
        (f"{CONTAINERS}::test_a_process_knows_the_secret_of_its_role_and_no_other",),
    ),
    Bug(
        "deployment",
        "a-variable-is-misspelt",
        "compose.yaml",
        "HUZHU_CONSOLE_AUDIT_KEYS",
        "HUZHU_CONSOLE_AUDIT_KEY",
        (f"{CONTAINERS}::test_every_file_names_settings_that_exist",),
    ),
    Bug(
        "deployment",
        "the-tables-are-migrated-by-nobody",
        "compose.yaml",
        "huzhu ledger upgrade &&",
        "huzhu ledger migrate &&",
        (f"{CONTAINERS}::test_every_service_calls_commands_that_exist",),
    ),
    Bug(
        "deployment",
        "health-is-asked-at-anothers-port",
        "compose.yaml",
        "http://127.0.0.1:9466/health/ready",
        "http://127.0.0.1:9465/health/ready",
        (f"{CONTAINERS}::test_a_process_is_asked_for_its_health_at_its_own_port",),
    ),
    Bug(
        "deployment",
        "the-image-runs-as-root",
        "Dockerfile",
        "USER 10001:10001",
        "USER 0:0",
        (f"{CONTAINERS}::test_the_image_is_nobodys_root",),
    ),
    Bug(
        "deployment",
        "the-image-takes-whatever-there-is",
        "Dockerfile",
        "--no-cache-dir --require-hashes -r requirements/dev.txt",
        "--no-cache-dir -r requirements/dev.txt",
        (f"{CONTAINERS}::test_everything_that_pip_installs_is_pinned_with_its_hash",),
    ),
    Bug(
        "deployment",
        "an-image-without-its-templates",
        "Dockerfile.dockerignore",
        "!web\n",
        "",
        (f"{CONTAINERS}::test_the_image_is_built_from_all_that_the_wheel_needs_and_nothing_else",),
    ),
    Bug(
        "deployment",
        "passwords-of-everybody-are-the-same",
        "deploy/compose/make-secrets.sh",
        "od -An -N24",
        "od -An -N0",
        (f"{CONTAINERS}::test_the_secrets_that_are_mounted_are_made",),
    ),
)
