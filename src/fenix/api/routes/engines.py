"""Engines: who works on what."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from fenix.api.auth import Caller
from fenix.api.dependencies import ServicesDep, may
from fenix.api.detail import fields_of
from fenix.api.errors import documented
from fenix.api.schemas.engines import EngineList
from fenix.api.services import alive
from fenix.store import leases, sessions
from fenix.store.admission import Connection

router = APIRouter(prefix="/v1/engine", tags=["engines"])


@router.get("", responses=documented(401, 403, 503))
async def list_engines(
    services: ServicesDep, caller: Annotated[Caller, Depends(may("engine:list"))]
) -> EngineList:
    """Lists the engines with their leases, those that were killed within the last day included."""

    def read(connection: Connection) -> dict[str, Any]:
        states = {one.id: one.state for one in sessions.list_all(connection)}
        held = [
            {"session_id": one.session_id, "owner": one.owner, "epoch": one.epoch, "state": state}
            for one in leases.open_leases(connection)
            if (state := states.get(one.session_id))
        ]
        return {
            "engines": [
                fields_of(engine)
                | {
                    "alive": alive(engine, services),
                    "sessions": [one for one in held if one["owner"] == engine.id],
                }
                for engine in leases.list_engines(connection)
            ],
            "unowned": [one for one in held if one["owner"] is None],
        }

    return EngineList.model_validate(await services.database.read(read))
