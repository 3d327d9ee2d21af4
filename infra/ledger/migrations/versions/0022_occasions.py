"""Claims for other occasions than a stay: what they pay may be more than the person bears, and needs no basis.

What the ledger holds already pays for a burden, so the patient pays the rest of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("claims", sa.Column("patient_pays", sa.BigInteger(), nullable=True))
    op.execute("UPDATE claims SET patient_pays = personal_burden - total_benefit")
    op.alter_column("claims", "patient_pays", nullable=False)
    op.drop_constraint("claims_never_above_burden", "claims")
    op.create_check_constraint(
        "claims_never_above_burden",
        "claims",
        "patient_pays BETWEEN 0 AND personal_burden AND total_benefit >= personal_burden - patient_pays",
    )
    op.alter_column("benefits", "basis", nullable=True)


def downgrade() -> None:
    op.alter_column("benefits", "basis", nullable=False)
    op.drop_constraint("claims_never_above_burden", "claims")
    op.create_check_constraint("claims_never_above_burden", "claims", "total_benefit BETWEEN 0 AND personal_burden")
    op.drop_column("claims", "patient_pays")
