"""Host action plug-ins and how they are run."""

from fenix.actions.base import Action, ActionFailed, ActionRequest, ActionResult, ActionRunner

__all__ = ["Action", "ActionFailed", "ActionRequest", "ActionResult", "ActionRunner"]
