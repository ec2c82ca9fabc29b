"""Finds the actions that are under way without reading all that ever ran; expands only."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_action_runs_state"), "action_runs", ["state"])


def downgrade() -> None:
    op.drop_index(op.f("ix_action_runs_state"), "action_runs")
