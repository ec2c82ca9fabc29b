"""What is installed under each of the entry point groups, from the package's metadata."""

from importlib.metadata import EntryPoint, entry_points

from fenix.workflows import Workflow
from fenix_reference.markdown import code, first_line, plain, table

GROUPS = {
    "fenix.workflows": (
        "Workflows",
        "A subclass of `fenix.workflows.Workflow`. A request names it in `workflow`.",
    ),
    "fenix.actions": (
        "Actions",
        "A subclass of `fenix.actions.base.Action`. A request names it in `actions`.",
    ),
    "fenix.clouds": (
        "Clouds",
        "A callable that takes the configuration and returns a `fenix.clouds.Cloud`. The option "
        "`[DEFAULT] cloud` names it.",
    ),
    "fenix.channels": (
        "Channels",
        "A callable that takes the configuration and returns a `fenix.messaging.Channel`. The "
        "option `[DEFAULT] channels` names those that are used.",
    ),
}


def page() -> str:
    """A section for each group."""
    return "\n".join(_section(group, *texts) for group, texts in GROUPS.items())


def _section(group: str, title: str, text: str) -> str:
    found = sorted(entry_points(group=group), key=lambda entry: entry.name)
    ours = [entry for entry in found if entry.value.startswith("fenix.")]
    rows = [(code(entry.name), code(entry.value), _description(entry)) for entry in ours]
    return f"## {title}: `{group}`\n\n{text}\n\n" + table(("name", "object", "what it is"), rows)


def _description(entry: EntryPoint) -> str:
    found = entry.load()
    if isinstance(found, type):
        text = found.description if issubclass(found, Workflow) else first_line(found)
        return plain(text)
    module = __import__(found.__module__, fromlist=["x"])
    if entry.name == "simulated":  # its module is the package's
        module = __import__(entry.module, fromlist=["x"])
    return plain(first_line(module))
