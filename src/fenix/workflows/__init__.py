"""Workflows and the contract for their authors."""

from fenix.workflows.base import Context, SessionFailed, Workflow

__all__ = ["Context", "SessionFailed", "Workflow"]
