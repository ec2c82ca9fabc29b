"""How the port's data crosses HTTP between a simulated cloud's server and its client.

The domain's own dataclasses are the format, so that both sides cannot differ.
"""

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from fenix.clouds.base import MoveStatus, MoveTicket
from fenix.domain import Inventory

DEFAULT_PORT = 12349

MAX_WAIT = 30.0
"""The longest that the server holds a question that waits for a change, s."""

CALLER = "X-Fenix-Caller"
"""Header: on whose behalf a call is made, see `fenix.clouds.on_behalf`."""

INVENTORY: TypeAdapter[Inventory] = TypeAdapter(Inventory)
TICKETS: TypeAdapter[list[MoveTicket]] = TypeAdapter(list[MoveTicket])
STATUSES: TypeAdapter[list[MoveStatus]] = TypeAdapter(list[MoveStatus])

Json = dict[str, Any]
Wait = Annotated[float, Field(ge=0, le=MAX_WAIT)]
