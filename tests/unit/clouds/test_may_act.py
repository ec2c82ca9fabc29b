"""A request that changes something is not sent when the caller may have lost what it acts for."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from fenix.clouds import CloudUnavailable, may_act
from fenix.clouds.openstack.api import Api, Calls
from fenix.clouds.simulated.client import RemoteSimulatedCloud
from fenix.domain import MoveAction


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = may_act.set(lambda: True)
    yield
    may_act.reset(before)


class Answer:
    status_code = 200
    content = b"{}"

    @staticmethod
    def json() -> dict[str, Any]:
        return {}


class Adapter:
    """Notes what is sent, as a keystoneauth adapter would send it."""

    def __init__(self, refuse_first: bool = False) -> None:
        self.sent: list[str] = []
        self._refuse = refuse_first

    def request(self, url: str, method: str, **more: Any) -> Answer:
        self.sent.append(f"{method} {url}")
        answer = Answer()
        if self._refuse:
            self._refuse = False
            answer.status_code = 401
        return answer


class Pinned(Api):
    version = (2, 90)


def api(adapter: Adapter) -> Api:
    return Pinned("Nova", adapter, Calls(), (2, 69), (2, 90))


@pytest.mark.parametrize("change", ["post", "put"])
def test_openstack(change: str) -> None:
    adapter = Adapter()
    may_act.set(lambda: False)
    api(adapter).get("/servers")
    with pytest.raises(CloudUnavailable, match="not sent"):
        getattr(api(adapter), change)("/servers", {})
    with pytest.raises(CloudUnavailable, match="not sent"):
        api(adapter).delete("/servers/{id}", id="1")
    may_act.set(lambda: True)
    getattr(api(adapter), change)("/servers", {})
    assert adapter.sent == ["GET /servers", f"{change.upper()} /servers"]


def test_it_is_asked_again_before_a_second_try() -> None:
    adapter = Adapter(refuse_first=True)
    answers = iter([True, False])
    may_act.set(lambda: next(answers))
    with pytest.raises(CloudUnavailable, match="not sent"):
        api(adapter).post("/servers", {})
    assert adapter.sent == ["POST /servers"]


def test_the_simulated_cloud_is_not_asked_although_it_is_connected_to() -> None:
    received: list[bytes] = []

    async def test() -> None:
        async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            received.append(await reader.read())
            writer.close()

        may_act.set(lambda: False)
        async with await asyncio.start_server(read, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            cloud = RemoteSimulatedCloud(f"http://127.0.0.1:{port}")
            with pytest.raises(CloudUnavailable, match="not asked"):
                await cloud.start_move("1", MoveAction.MIGRATE, None)
            await cloud.close()
            while not received:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(test(), 10))
    assert received == [b""]
