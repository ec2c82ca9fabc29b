"""The commands and their options, from the command line's own definition."""

from collections.abc import Iterator
from typing import Any

import typer

from fenix.cli.main import app
from fenix_reference.markdown import code, plain, table


def page() -> str:
    """A section for each command."""
    return "\n".join(_command(typer.main.get_command(app), "fenix"))


def _command(command: Any, name: str) -> Iterator[str]:
    subcommands = getattr(command, "commands", None)
    text = plain(command.help or "")
    runs_alone = getattr(command, "invoke_without_command", False)
    if subcommands is None or runs_alone:
        context = typer.Context(command, info_name=name)
        usage = " ".join([name, *command.collect_usage_pieces(context)])
        yield f"## {name}\n\n```console\n$ {usage}\n```\n\n{text}\n"
    elif name != "fenix":
        yield f"## {name}\n\n{text}\n"
    if subcommands is None or runs_alone:
        yield from _parameters(command)
    for sub_name, sub in (subcommands or {}).items():
        yield from _command(sub, f"{name} {sub_name}")


def _parameters(command: Any) -> Iterator[str]:
    rows = []
    for one in command.params:
        if getattr(one, "hidden", False) or one.name == "help":
            continue
        names = [*one.opts, *one.secondary_opts]
        argument = one.param_type_name == "argument"
        shown = one.metavar or one.human_readable_name.upper() if argument else ", ".join(names)
        rows.append((code(shown), getattr(one, "help", "") or "", _notes(one)))
    if rows:
        yield table(("option or argument", "meaning", "notes"), rows)


def _notes(one: Any) -> str:
    notes = []
    if one.required:
        notes.append("required")
    default = one.default
    if default not in (None, "", False, (), []) and not callable(default):
        notes.append(f"default {code(default)}")
    if one.multiple if hasattr(one, "multiple") else False:
        notes.append("repeatable")
    if one.envvar:
        notes.append(f"variable {code(one.envvar)}")
    return "; ".join(notes)
