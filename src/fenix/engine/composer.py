"""Makes messages: the one place that knows the form of their payloads.

Source of all fields: the wire contract, "Messages". Ours besides: `message_id`, the same at each
attempt, and `sequence`, counted within the session, since Telemetry reorders events.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from fenix.domain import EventType, HostNews, Message, MoveAction, ProjectState, Session

SERVICE = "fenix"


def timestamp(time: datetime) -> str:
    """A time as it goes over the wire: naive UTC to the second."""
    return time.isoformat(timespec="seconds")


class Composer:
    """Composes the messages of one session, numbering them.

    Args:
        endpoint: base URL of the API, ``/v1`` included.
        sequence: number of the session's last message.
    """

    def __init__(self, session: Session, endpoint: str, sequence: int) -> None:
        self._session = session
        self._endpoint = endpoint.rstrip("/")
        self._sequence = sequence

    def project_url(self, project_id: str) -> str:
        """Where a project gets its instances and sends its replies."""
        return f"{self._endpoint}/maintenance/{self._session.id}/{project_id}"

    def scheduled(
        self,
        key: str,
        project_id: str,
        state: ProjectState,
        now: datetime,
        *,
        instance_ids: Sequence[str],
        reply_by: datetime | None,
        actions_at: datetime,
        single: bool,
    ) -> Message:
        """A `maintenance.scheduled` message to a project.

        Args:
            single: the message names its one instance instead of the URL that lists them.
        """
        url = self.project_url(project_id)
        about_one = single or state is ProjectState.INSTANCE_ACTION_DONE
        replies_for_one = single and state.moves_instances
        payload: dict[str, Any] = {
            "project_id": project_id,
            "state": state.value,
            "instance_ids": list(instance_ids) if about_one else url,
            "reply_url": f"{url}/{instance_ids[0]}" if replies_for_one else url,
            "allowed_actions": [action.value for action in MoveAction]
            if state.moves_instances
            else [],
            "actions_at": timestamp(actions_at),
            "reply_at": timestamp(reply_by or actions_at),
            "metadata": dict(self._session.request.metadata),
        }
        return self._message(
            key,
            EventType.SCHEDULED,
            project_id,
            state,
            payload,
            now,
            tuple(instance_ids),
            reply_by,
        )

    def host(self, key: str, name: str, news: HostNews, now: datetime) -> Message:
        """A `maintenance.host` message to infrastructure services."""
        project_id = self._session.admin_project_id
        payload = {"project_id": project_id, "host": name, "state": news.value}
        return self._message(key, EventType.HOST, project_id, news, payload, now)

    def session(
        self, state: str, percent_done: int, detail: str, now: datetime, key: str = ""
    ) -> Message:
        """A `maintenance.session` message to the administrator.

        Args:
            key: names the message within the session, where a restart could compose it anew.
        """
        project_id = self._session.admin_project_id
        payload = {
            "project_id": project_id,
            "state": str(state),
            "percent_done": percent_done,
            "detail": detail[:200],
        }
        key = f"session:{key or self._sequence + 1}"
        return self._message(key, EventType.SESSION, project_id, state, payload, now)

    def _message(
        self,
        key: str,
        event_type: EventType,
        project_id: str,
        state: str,
        payload: dict[str, Any],
        now: datetime,
        instance_ids: tuple[str, ...] = (),
        reply_by: datetime | None = None,
    ) -> Message:
        self._sequence += 1
        # Made from the key, so that it is the same whoever composes the message.
        ident = str(uuid5(NAMESPACE_URL, f"fenix:{self._session.id}:{key}"))
        head = {
            "service": SERVICE,
            "session_id": self._session.id,
            "message_id": ident,
            "sequence": self._sequence,
        }
        return Message(
            id=ident,
            key=key,
            sequence=self._sequence,
            event_type=event_type,
            project_id=project_id,
            state=str(state),
            payload=head | payload,
            created_at=now,
            instance_ids=instance_ids,
            reply_by=reply_by,
        )
