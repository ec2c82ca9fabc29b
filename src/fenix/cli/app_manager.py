"""`fenix manager`: the application manager to learn from, as a process of its own."""

from pathlib import Path
from typing import Annotated

import typer

from fenix.cli.errors import reported

Many = list[str] | None


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("manager")(manager)


def manager(
    url: Annotated[
        str, typer.Option(envvar="FENIX_URL", help="Fenix's endpoint.")
    ] = "http://127.0.0.1:12347/v1",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 12348,
    callback_url: Annotated[
        str, typer.Option(help="Where Fenix reaches the manager; default: its own address.")
    ] = "",
    body_format: Annotated[
        str, typer.Option("--format", help="The messages' shape: cloudevents or aodh.")
    ] = "cloudevents",
    secret_file: Annotated[
        Path | None,
        typer.Option(help="File with the secret (whsec_...) that messages must be signed with."),
    ] = None,
    subscribe: Annotated[
        bool, typer.Option(help="Subscribe with Fenix; not needed behind Aodh.")
    ] = True,
    cloud: Annotated[str, typer.Option(help="simulated or openstack.")] = "simulated",
    cloud_url: Annotated[
        str, typer.Option(help="Where the simulated cloud listens.")
    ] = "http://127.0.0.1:12349",
    os_cloud: Annotated[
        str | None, typer.Option(help="Account in clouds.yaml; default: the environment's.")
    ] = None,
    auth: Annotated[str, typer.Option(help="How Fenix knows us: none or keystone.")] = "none",
    project_id: Annotated[str, typer.Option(help="The application's project.")] = "",
    ca_file: Annotated[str | None, typer.Option(help="Certificates to trust.")] = None,
    action: Annotated[
        str, typer.Option(help="Instances: MIGRATE, LIVE_MIGRATE or OWN_ACTION.")
    ] = "MIGRATE",
    action_for: Annotated[
        Many,
        typer.Option(metavar="PATTERN=ACTION", help="For instances of such names; repeatable."),
    ] = None,
    removable: Annotated[
        Many,
        typer.Option(
            metavar="PATTERN", help="Names of instances that a scale-in may delete; repeatable."
        ),
    ] = None,
    scale_in: Annotated[int, typer.Option(help="Instances that one SCALE_IN deletes.")] = 2,
    scale_in_max: Annotated[
        int | None, typer.Option(help="Instances that may be missing at one time.")
    ] = None,
    constraints: Annotated[bool, typer.Option(help="Register constraints with Fenix.")] = False,
    lead_time: Annotated[int, typer.Option(help="Of the constraints, s.")] = 120,
    max_interruption_time: Annotated[int, typer.Option(help="Of the constraints, s.")] = 120,
    recovery_time: Annotated[int, typer.Option(help="Of the constraints, s.")] = 0,
    max_impacted_members: Annotated[int, typer.Option(help="Of the constraints.")] = 1,
    memory: Annotated[
        Path | None, typer.Option(help="File of what is to survive a restart; default: none.")
    ] = None,
    patience: Annotated[
        float, typer.Option(help="How long Fenix or the cloud may be away, s.")
    ] = 120.0,
    verbose: Annotated[bool, typer.Option(help="Log what it does.")] = False,
) -> None:
    """Run an application manager that answers Fenix for one project."""
    from fenix.manager import ManagerSettings

    with reported(ValueError, OSError):
        settings = ManagerSettings(
            fenix_url=url,
            host=host,
            port=port,
            callback_url=callback_url,
            body_format=body_format,  # type: ignore[arg-type]  # checked there
            secret=secret_file.read_text().strip() if secret_file else "",
            subscribe=subscribe,
            cloud=cloud,  # type: ignore[arg-type]
            cloud_url=cloud_url,
            os_cloud=os_cloud,
            auth=auth,  # type: ignore[arg-type]
            project_id=project_id,
            ca_file=ca_file,
            action=action,  # type: ignore[arg-type]
            actions=_pairs(action_for or []),  # type: ignore[arg-type]
            removable=tuple(removable or ()),
            scale_in=scale_in,
            scale_in_max=scale_in_max,
            register_constraints=constraints,
            lead_time=lead_time,
            max_interruption_time=max_interruption_time,
            recovery_time=recovery_time,
            max_impacted_members=max_impacted_members,
            memory=str(memory) if memory else ":memory:",
            patience=patience,
        )
    _run(settings, verbose)


def _run(settings: object, verbose: bool) -> None:
    import logging

    from openstack.exceptions import SDKException

    from fenix.manager import ManagerSettings
    from fenix.manager.main import run

    assert isinstance(settings, ManagerSettings)
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with reported(SDKException, OSError):
        run(settings)


def _pairs(words: list[str]) -> dict[str, str]:
    found = {}
    for word in words:
        pattern, equals, action = word.rpartition("=")
        if not equals:
            raise typer.BadParameter(f"{word!r} is not valid; allowed: PATTERN=ACTION")
        found[pattern] = action
    return found
