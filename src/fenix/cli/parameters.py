"""Options that several commands have, said once."""

from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="FENIX_URL",
        metavar="URL",
        help="Fenix's endpoint, for a Fenix without Keystone; with --os-cloud, instead of the one "
        "in the catalog.",
    ),
]
OsCloud = Annotated[
    str | None,
    typer.Option(
        "--os-cloud",
        metavar="NAME",
        help="Account in clouds.yaml. Without it and --url: the environment's OS_CLOUD or OS_...",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON instead of tables.")]
ConfigFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--config-file",
        metavar="FILE",
        help="Configuration file; may be repeated, later ones win. Default: fenix.conf in "
        "~/.fenix, ~, /etc/fenix or /etc.",
    ),
]
ConfigDirs = Annotated[
    list[Path] | None,
    typer.Option(
        "--config-dir",
        metavar="DIRECTORY",
        help="Directory of configuration files (*.conf), which win over --config-file.",
    ),
]
SessionId = Annotated[str, typer.Argument(metavar="SESSION", help="The session's id.")]
