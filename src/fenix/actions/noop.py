"""An action that does nothing: to try out a workflow, or to see that plug-ins run."""

from typing import ClassVar

from fenix.actions.base import Action, ActionRequest


class NoopAction(Action):
    """Succeeds at once, with any metadata."""

    rerun_safe: ClassVar[bool] = True

    def run(self, request: ActionRequest) -> None:
        """Does nothing, and says for which host."""
        print(f"nothing to do on {request.host or 'the cloud'}")  # noqa: T201
