"""What the manager tells Fenix of its own accord: its subscription and its constraints."""

import asyncio
import socket
from contextlib import ExitStack

from manager_lab import Cloud, Fenix, StartManager, Writer, managing, serving

from fenix.manager.backoff import patiently
from fenix.manager.fenix_client import FenixClient


def test_it_subscribes_when_it_starts_and_unsubscribes_when_it_stops(
    fenix: Fenix, cloud: Cloud
) -> None:
    settings = {"subscribe": True, "callback_url": "http://192.0.2.7:12348/maintenance"}
    with managing(fenix, cloud, body_format="aodh", **settings):
        (call,) = fenix.wait(lambda: fenix.matching("POST", ""), "a subscription")
        assert (call.path, call.body) == (
            "/v1/subscription",
            {
                "url": "http://192.0.2.7:12348/maintenance",
                "format": "aodh",
                "event_types": ["maintenance.scheduled"],
            },
        )
        assert call.headers["x-project-id"] == "app"
        assert fenix.matching("DELETE", "") == []
    (call,) = fenix.matching("DELETE", "")
    assert call.path == "/v1/subscription/subscription-1"


def test_it_subscribes_as_soon_as_fenix_is_there(
    stack: ExitStack, cloud: Cloud, fenix: Fenix
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    absent = Fenix()
    absent.url = f"http://127.0.0.1:{port}"
    manager = stack.enter_context(managing(absent, cloud, subscribe=True))
    assert manager.status()["subscription"] is None
    with serving(absent.app, port):
        absent.wait(lambda: absent.matching("POST", ""), "a subscription")
        stack.close()
    assert len(absent.matching("DELETE", "/v1/subscription/")) == 1


def test_it_stops_even_if_fenix_refuses(fenix: Fenix, cloud: Cloud) -> None:
    fenix.answers["DELETE"] = [403]
    with managing(fenix, cloud, subscribe=True) as manager:
        fenix.wait(lambda: fenix.matching("POST", ""), "a subscription")
        assert manager.status()["messages"] == []
    assert len(fenix.matching("DELETE", "")) == 1


def test_constraints_cover_every_instance_and_group(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    start_manager(
        register_constraints=True,
        action="LIVE_MIGRATE",
        actions={"ha-*": "OWN_ACTION"},
        lead_time=40,
        recovery_time=5,
        max_impacted_members=3,
    )
    fenix.wait(lambda: len(fenix.matching("PUT", "")) == 8, "2 groups and 6 instances")
    bodies = {call.path.rsplit("/", 1)[1]: call.body for call in fenix.matching("PUT", "")}
    rest = bodies["id-worker-0"]["group_id"]
    # Groups come before the instances that name them.
    assert [call.path.split("/")[2] for call in fenix.calls[:2]] == ["instance_group"] * 2
    assert bodies["pair"] == {
        "group_id": "pair",
        "project_id": "app",
        "group_name": "pair",
        "anti_affinity_group": True,
        "max_instances_per_host": 0,
        "max_impacted_members": 1,
        "recovery_time": 5,
        "resource_mitigation": False,
    }
    assert (bodies[rest]["max_impacted_members"], bodies[rest]["anti_affinity_group"]) == (3, False)
    assert bodies["id-ha-0"] == {
        "instance_id": "id-ha-0",
        "project_id": "app",
        "group_id": "pair",
        "instance_name": "ha-0",
        "max_interruption_time": 120,
        "migration_type": "OWN_ACTION",
        "resource_mitigation": False,
        "lead_time": 40,
    }
    assert bodies["id-worker-0"]["migration_type"] == "LIVE_MIGRATE"


def test_constraints_follow_the_instances(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    manager = start_manager(register_constraints=True)
    fenix.wait(lambda: len(fenix.matching("PUT", "")) == 8, "2 groups and 6 instances")
    manager.post(write("SCALE_IN"))
    fenix.wait(lambda: len(fenix.matching("DELETE", "")) == 2, "the constraints to go")
    assert {call.path for call in fenix.matching("DELETE", "")} == {
        "/v1/instance/id-worker-2",
        "/v1/instance/id-worker-3",
    }
    manager.post(write("MAINTENANCE_COMPLETE"))
    new = {f"/v1/instance/{cloud_id}" for cloud_id in _new_ids(fenix, cloud, 2)}
    fenix.wait(
        lambda: new <= {call.path for call in fenix.matching("PUT", "/v1/instance/")},
        "the constraints of the new ones",
    )
    manager.post(write("PLANNED_MAINTENANCE", "id-worker-0", single=True))
    fenix.reply(3)
    assert len(fenix.matching("PUT", "/v1/instance")) == 8 + 2, "only what has changed"


def test_constraints_that_are_refused_do_not_keep_it_from_subscribing(
    start_manager: StartManager, fenix: Fenix
) -> None:
    fenix.answers["PUT"] = [400]
    start_manager(register_constraints=True, subscribe=True)
    fenix.wait(lambda: fenix.matching("POST", "/v1/subscription"), "a subscription")


def test_a_token_that_is_not_accepted_is_renewed(fenix: Fenix) -> None:
    class Tokens:
        """Gives the first token until another one is asked for."""

        number = 1

        def project_id(self) -> str:
            return "app"

        def headers(self, renew: bool = False) -> dict[str, str]:
            self.number += renew
            return {"X-Auth-Token": f"token-{self.number}"}

    async def reply() -> None:
        client = FenixClient(fenix.url, Tokens())
        url = "http://fenix.example/v1/maintenance/s/app"
        for _ in range(2):
            await patiently("reply", 5, lambda: client.reply(url, {"state": "ACK_MAINTENANCE"}))
        await client.close()

    fenix.answers["PUT"] = [401]
    asyncio.run(reply())
    tokens = [call.headers["x-auth-token"] for call in fenix.matching("PUT", "")]
    assert tokens == ["token-1", "token-2", "token-2"]


def _new_ids(fenix: Fenix, cloud: Cloud, number: int) -> list[str]:
    fenix.reply(number)
    return [cloud.id_of("worker-2"), cloud.id_of("worker-3")]
