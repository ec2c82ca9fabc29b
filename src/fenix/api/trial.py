"""The message by which a subscription is tried out."""

import uuid
from datetime import datetime

from fenix.domain import Message, Subscription

TRIAL_STATE = "TEST"
"""No state of a session, so that no manager acts on it."""

NO_SESSION = str(uuid.UUID(int=0))


def trial_message(subscription: Subscription, endpoint: str, now: datetime) -> Message:
    """A message with all fields of a `maintenance.scheduled` one, that asks for nothing."""
    url = f"{endpoint}/maintenance/{NO_SESSION}/{subscription.project_id}"
    ident = str(uuid.uuid4())
    time = now.isoformat(timespec="seconds")
    return Message(
        id=ident,
        key=f"test:{ident}",
        sequence=0,
        event_type=subscription.event_types[0],
        project_id=subscription.project_id,
        state=TRIAL_STATE,
        payload={
            "service": "fenix",
            "session_id": NO_SESSION,
            "message_id": ident,
            "sequence": 0,
            "project_id": subscription.project_id,
            "state": TRIAL_STATE,
            "instance_ids": url,
            "reply_url": url,
            "allowed_actions": [],
            "actions_at": time,
            "reply_at": time,
            "metadata": {},
        },
        created_at=now,
    )
