"""The metrics, from their definitions."""

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import REGISTRY
from prometheus_client.core import Metric

from fenix.api.metrics import families
from fenix.store.figures import Figures
from fenix_reference.markdown import code, table

_NOW = datetime.now(UTC).replace(tzinfo=None)
_NOTHING = Figures({}, {}, 0, None, 0, {"an engine": _NOW}, 0)


def page() -> str:
    """A table of what the database holds, and one of what processes count."""
    return "\n".join(_parts())


def _parts() -> Iterator[str]:
    yield "### In the database\n"
    yield _table(list(families(_NOTHING, _NOW)))
    yield "### Of a process\n"
    yield _table([one for one in REGISTRY.collect() if one.name.startswith("fenix_")])


def _table(found: list[Metric]) -> str:
    rows = [(code(one.name), one.type, one.documentation) for one in found]
    return table(("metric", "kind", "meaning"), rows)
