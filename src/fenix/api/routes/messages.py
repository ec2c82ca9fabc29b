"""Messages of a session that nobody has taken: to see them, and to send them again."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from fenix.api import detail
from fenix.api.auth import Caller
from fenix.api.dependencies import ServicesDep, SessionId, may
from fenix.api.errors import documented
from fenix.api.openapi import takes
from fenix.api.schemas.messages import LARGEST_ID, SendAgainBody, SentAgain, Undelivered
from fenix.api.validation import body_of
from fenix.domain import Delivery
from fenix.engine.sending_again import send_again
from fenix.store import messages
from fenix.store.admission import Connection

router = APIRouter(prefix="/v1/maintenance/{session}/undelivered", tags=["sessions"])


@router.get("", responses=documented(400, 401, 403, 404, 503))
async def list_undelivered(
    services: ServicesDep,
    caller: Annotated[Caller, Depends(may("session:show"))],
    session: SessionId,
    after: Annotated[
        int, Query(ge=0, le=LARGEST_ID, description="Only deliveries with a larger id.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
) -> Undelivered:
    """Lists the messages that receivers have not taken, with attempts and the last error."""

    def read(connection: Connection) -> Sequence[Delivery]:
        detail.find(connection, session)
        return messages.undelivered(connection, session, after, limit)

    found = await services.database.read(read)
    shown = [
        detail.fields_of(one)
        | {
            "message_id": one.message.id,
            "sequence": one.message.sequence,
            "event_type": one.message.event_type,
            "project_id": one.message.project_id,
            "message_state": one.message.state,
            "created_at": one.message.created_at,
        }
        for one in found
    ]
    return Undelivered.model_validate(
        {"undelivered": shown, "next": found[-1].id if len(found) == limit else None}
    )


@router.post("", responses=documented(400, 401, 403, 404, 409, 413, 503), **takes(SendAgainBody))
async def send_undelivered(
    services: ServicesDep,
    caller: Annotated[Caller, Depends(may("session:send_again"))],
    session: SessionId,
    body: Annotated[SendAgainBody, Depends(body_of(SendAgainBody))],
) -> SentAgain:
    """Has messages sent again that were given up, also when the session has ended.

    They keep their ids. Where a subscription is gone, those that its project has now get the
    message; without any it stays given up.
    """
    count = await send_again(
        services.database,
        services.channels,
        session,
        body.deliveries,
        services.now(),
        by=caller.name,
    )
    services.wake()
    return SentAgain(sent_again=count)
