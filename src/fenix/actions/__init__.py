"""Host action plug-ins and how they are run."""

from fenix.actions.base import Action, ActionRequest, ActionResult, ActionRunner

__all__ = ["Action", "ActionRequest", "ActionResult", "ActionRunner"]
