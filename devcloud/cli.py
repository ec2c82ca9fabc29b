"""The command line: ``python3 -m devcloud COMMAND``."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext

from devcloud import catalog, install, status
from devcloud.apis import APIS
from devcloud.cloud import Cloud
from devcloud.configuration import clients
from devcloud.console import DevcloudError
from devcloud.extra.telemetry import Telemetry
from devcloud.locking import exclusive
from devcloud.settings import Settings

Command = Callable[[Cloud, argparse.Namespace], bool | None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        cloud = Cloud(Settings.from_environment(_environment(options)))
        reads = options.command in ("status", "env") or options.action == "status"
        with nullcontext() if reads else exclusive(cloud.settings.root):
            return 1 if _COMMANDS[options.command](cloud, options) is False else 0
    except DevcloudError as error:
        print(f"devcloud: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="devcloud",
        description="A real OpenStack control plane with fake hypervisors on 127.0.0.1.",
        epilog="Environment: DEVCLOUD_ROOT (default: devcloud in the folder for temporary files),"
        " DEVCLOUD_PORT_OFFSET, DEVCLOUD_VCPUS, DEVCLOUD_MEMORY_MB, DEVCLOUD_DISK_GB."
        " See devcloud/README.md.",
    )
    parser.set_defaults(vcpus=None, memory_mb=None, disk_gb=None, action=None)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    for name, text in (
        ("ensure", "install, set up and start whatever is not; the one command most need"),
        ("up", "start what does not run, from the golden image if nothing is left of a cloud"),
    ):
        command = add(name, text)
        command.add_argument("computes", nargs="?", type=_count, default=3, metavar="N")
        _add_size(command)
    add("down", "stop everything and keep the data")
    add("destroy", "kill everything and forget the data; packages and golden image stay")
    add("status", "what runs, and its memory")
    add("env", "shell lines that point clients at this cloud")
    add("install", "install Debian packages and the virtual environment, if needed")
    add("golden", "make the golden image anew")
    command = add("add-compute", "start compute I and wait until it is up")
    command.add_argument("number", type=_count, metavar="I")
    _add_size(command)
    for name, text in (
        ("kill-compute", "end compute I as a power cut would"),
        ("stop-compute", "end compute I in an orderly way"),
    ):
        add(name, text).add_argument("number", type=_count, metavar="I")
    add("restart-api", "restart one API").add_argument("name", choices=list(APIS))
    command = add("register", "put a service and its user (roles admin, service) in the catalog")
    for argument in ("type", "name", "url"):
        command.add_argument(argument)
    command = add("unregister", "take a service and its user out of the catalog")
    for argument in ("type", "name"):
        command.add_argument(argument)
    command = add("telemetry", "Ceilometer's notification agent and Aodh, beside the cloud")
    command.add_argument("action", choices=["up", "down", "drop", "status"])
    return parser


def _add_size(command: argparse.ArgumentParser) -> None:
    for option in ("--vcpus", "--memory-mb", "--disk-gb"):
        command.add_argument(option, type=_count, help="of each compute")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _environment(options: argparse.Namespace) -> Mapping[str, str]:
    """The environment with the sizes of the command line in it."""
    sizes = ("vcpus", "memory_mb", "disk_gb")
    given = {f"DEVCLOUD_{name.upper()}": getattr(options, name) for name in sizes}
    return {**os.environ, **{key: str(value) for key, value in given.items() if value}}


def _env(cloud: Cloud, options: argparse.Namespace) -> None:
    for name, value in clients.environment(cloud.settings).items():
        print(f"export {name}={shlex.quote(value)}")


def _telemetry(cloud: Cloud, options: argparse.Namespace) -> bool | None:
    telemetry = Telemetry(cloud.settings, cloud.processes)
    actions = {"up": telemetry.up, "down": telemetry.down, "drop": telemetry.drop}
    return telemetry.status() if options.action == "status" else actions[options.action]()


_COMMANDS: Mapping[str, Command] = {
    "ensure": lambda cloud, options: cloud.ensure(options.computes),
    "up": lambda cloud, options: cloud.up(options.computes),
    "down": lambda cloud, options: cloud.down(),
    "destroy": lambda cloud, options: cloud.destroy(),
    "status": lambda cloud, options: status.report(cloud.processes),
    "env": _env,
    "install": lambda cloud, options: install.install(cloud.settings),
    "golden": lambda cloud, options: cloud.build_golden(),
    "add-compute": lambda cloud, options: cloud.add_compute(options.number),
    "kill-compute": lambda cloud, options: cloud.kill_compute(options.number),
    "stop-compute": lambda cloud, options: cloud.stop_compute(options.number),
    "restart-api": lambda cloud, options: cloud.restart_api(options.name),
    "register": lambda cloud, options: catalog.register(
        cloud.settings, {options.type: (options.name, options.url)}
    ),
    "unregister": lambda cloud, options: catalog.unregister(
        cloud.settings, options.type, options.name
    ),
    "telemetry": _telemetry,
}
