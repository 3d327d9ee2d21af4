"""Funeral lists: comparing one with the living members is an act."""

from infra.ledger.changed_checks import change_check

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

DISPOSITIONS = (
    "'accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key', 'reissue', 'export', 'console', "
    "'treaty', 'statement', 'closing', 'recovery', 'group', 'pool', 'alert', 'hold'"
)


def upgrade() -> None:
    change_check("events", "events_disposition", f"disposition IN ({DISPOSITIONS}, 'deaths')")


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("which lists were taken in cannot be forgotten without losing the ledger: restore a backup")
