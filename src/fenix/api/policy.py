"""Who may do what: the one place where it is decided."""

from collections.abc import Collection

from fenix.api.auth import Caller
from fenix.domain import Forbidden


class Policy:
    """Decides by roles, as OpenStack's defaults do.

    Args:
        admin_roles: on any project or the system they make an administrator.
        reader_roles: on the system they let see all sessions.
        project_roles: on a project they let answer for it.
    """

    def __init__(
        self,
        admin_roles: Collection[str],
        reader_roles: Collection[str],
        project_roles: Collection[str],
    ) -> None:
        self._admin = frozenset(admin_roles)
        self._reader = frozenset(reader_roles)
        self._project = frozenset(project_roles)

    def is_admin(self, caller: Caller) -> bool:
        """Whether the caller administers the cloud."""
        scoped = caller.system or caller.project_id is not None
        return caller.trusted or (scoped and bool(caller.roles & self._admin))

    def is_observer(self, caller: Caller) -> bool:
        """Whether the caller may see everything."""
        return self.is_admin(caller) or (caller.system and bool(caller.roles & self._reader))

    def administer(self, caller: Caller) -> None:
        """Lets administrators pass.

        Raises:
            Forbidden: the caller is none.
        """
        if not self.is_admin(caller):
            raise Forbidden("This call needs an administrator's token.")

    def observe(self, caller: Caller) -> None:
        """Lets pass who may see all sessions.

        Raises:
            Forbidden: the caller may not.
        """
        if not self.is_observer(caller):
            raise Forbidden("This call needs a token of an administrator or a system reader.")

    def represents(self, caller: Caller, project_id: str) -> bool:
        """Whether the caller may answer for a project."""
        own = caller.project_id == project_id
        return caller.trusted or (own and bool(caller.roles & (self._project | self._admin)))

    def answer(self, caller: Caller, project_id: str) -> None:
        """Lets a project's members pass, and nobody else: not even an administrator.

        Raises:
            Forbidden: the token is not one of this project's members.
        """
        if not self.represents(caller, project_id):
            raise Forbidden(f"This call needs a token of a member of project {project_id}.")

    def look(self, caller: Caller, project_id: str) -> None:
        """Lets pass who may see what concerns a project.

        Raises:
            Forbidden: the caller may not.
        """
        if not self.is_observer(caller):
            self.answer(caller, project_id)

    def own(self, caller: Caller, project_id: str) -> None:
        """Lets pass who may change what belongs to a project: its members and administrators.

        Raises:
            Forbidden: the caller may not.
        """
        if not self.is_admin(caller):
            self.answer(caller, project_id)
