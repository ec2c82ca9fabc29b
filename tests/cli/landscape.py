"""A cloud and an application's manager, each in a process of its own."""

import json
from pathlib import Path
from typing import Any

from fenix.cli.demo.cloud import PROJECT, cloud
from tests.cli.harness import Process, Processes, free_port, get


def start_cloud(start: Processes, directory: Path, hosts: int = 3) -> tuple[Process, str]:
    """A simulated cloud that is full, and its URL."""
    scenario = directory / "scenario.json"
    scenario.write_text(cloud(hosts).model_dump_json())
    process = start("cloud", str(scenario), "--port", "0")
    url = process.until(lambda: process.said.strip(), "its URL")
    process.until(lambda: get(f"{url}/inventory").status_code == 200, "the cloud to answer")
    return process, url


def start_manager(start: Processes, url: str, cloud_url: str, *more: str) -> Process:
    """The application's manager; returns when it has subscribed."""
    process = start(
        "manager", "--url", url, "--port", str(free_port()), "--cloud-url", cloud_url,
        "--project-id", PROJECT, "--removable", "app", "--format", "aodh",
        "--constraints", "--lead-time", "20", "--max-impacted-members", "2", "--verbose",
        *more,
    )  # fmt: skip
    process.until(
        lambda: get(f"{url}/subscription").json()["subscriptions"], "the manager to subscribe"
    )
    return process


def events(cloud_url: str, after: int = 0, wait: float = 0.0) -> list[dict[str, Any]]:
    """What really happened in the cloud.

    Args:
        after: the number of an event; only later ones.
        wait: seconds to wait until there is one.
    """
    answer = get(f"{cloud_url}/events?after={after}&wait={wait}")
    return [json.loads(line) for line in answer.text.splitlines()]


def wait_for_event(cloud_url: str, kind: str) -> dict[str, Any]:
    """The first event of a kind, at the moment when it happens."""
    last = 0
    for _ in range(1000):
        for event in events(cloud_url, last, 20.0):
            last = event["n"]
            if event["event"] == kind:
                return event
    raise AssertionError(f"no {kind} among {last} events")
