"""The port over a simulated cloud in another process.

The other side is `fenix.clouds.simulated.server`.
"""

from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from fenix.clouds.base import (
    CloudError,
    CloudUnavailable,
    MoveStatus,
    MoveTicket,
    may_act,
    on_behalf,
)
from fenix.clouds.simulated.wire import CALLER, INVENTORY, MAX_WAIT, STATUSES, TICKETS
from fenix.domain import Inventory, MoveAction


class RemoteSimulatedCloud:
    """Implements `fenix.clouds.Cloud`.

    Args:
        url: where the server listens.
        timeout: seconds that an answer may take, beyond what the question itself waits.
    """

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        self._timeout = timeout
        # A proxy has no business between two processes of one machine.
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout, trust_env=False)

    async def inventory(self) -> Inventory:
        """See `Cloud.inventory`."""
        return INVENTORY.validate_json((await self._call("GET", "/inventory")).content)

    async def inventory_of(self, host: str) -> Inventory:
        """See `Cloud.inventory_of`."""
        answer = await self._call("GET", f"/hosts/{quote(host, safe='')}/inventory")
        return INVENTORY.validate_json(answer.content)

    async def disable_host(self, host: str, reason: str) -> bool:
        """See `Cloud.disable_host`."""
        return await self._order_host(host, "disable", reason)

    async def enable_host(self, host: str, reason: str) -> bool:
        """See `Cloud.enable_host`."""
        return await self._order_host(host, "enable", reason)

    async def start_move(self, instance_id: str, action: MoveAction, target: str | None) -> None:
        """See `Cloud.start_move`."""
        order = {"instance_id": instance_id, "action": action.value, "target": target}
        await self._call("POST", "/moves", order)

    async def confirm_move(self, instance_id: str) -> None:
        """See `Cloud.confirm_move`."""
        await self._call("POST", "/moves/confirm", {"instance_id": instance_id})

    async def watch_moves(
        self, tickets: Collection[MoveTicket], wait: float
    ) -> Sequence[MoveStatus]:
        """See `Cloud.watch_moves`; answers as soon as any move of the cloud ends."""
        wait = min(wait, MAX_WAIT)
        question = {"tickets": TICKETS.dump_python(list(tickets), mode="json"), "wait": wait}
        answer = await self._call("POST", "/moves/watch", question, wait)
        return STATUSES.validate_json(answer.content)

    async def delete_instance(self, instance_id: str) -> None:
        """See `Cloud.delete_instance`."""
        await self._call("DELETE", f"/instances/{quote(instance_id, safe='')}")

    async def close(self) -> None:
        """See `Cloud.close`."""
        await self._http.aclose()

    async def _order_host(self, host: str, order: str, reason: str) -> bool:
        path = f"/hosts/{quote(host, safe='')}/{order}"
        return bool((await self._call("POST", path, {"reason": reason})).json()["done"])

    async def _call(
        self, method: str, path: str, body: Any = None, wait: float = 0.0
    ) -> httpx.Response:
        try:
            answer = await self._http.request(
                method,
                path,
                json=body,
                headers={CALLER: on_behalf.get()},
                timeout=self._timeout + wait,
                extensions={} if method == "GET" else {"trace": _assure},
            )
        except httpx.TransportError as error:
            raise CloudUnavailable(f"simulated cloud: {error or type(error).__name__}") from error
        if answer.is_server_error:
            raise CloudUnavailable(f"simulated cloud: status {answer.status_code}")
        if answer.is_error:
            raise CloudError(_detail(answer))
        return answer


async def _assure(step: str, _: object) -> None:
    """Asks right before the first byte is sent: a connection may have been waited for.

    Raises:
        CloudUnavailable: the caller may have lost what it acts for.
    """
    if step == "http11.send_request_headers.started" and not may_act.get()():
        raise CloudUnavailable("simulated cloud: not asked, since the session's lease is in doubt")


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"simulated cloud: status {answer.status_code}"
