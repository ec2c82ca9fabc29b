"""Puts the service together from its parts, as the configuration says, and runs it.

The only place that knows all rooms at once: below it none builds another, above it the command
line knows neither the database nor how anything is wired.
"""

from fenix.service.clock import utc_now
from fenix.service.errors import CannotStart
from fenix.service.http import HttpServer, listen
from fenix.service.keys import add_key, reseal
from fenix.service.parts import Parts, build, read_config
from fenix.service.purging import purge_sessions
from fenix.service.running import run, run_until_signalled, set_up_log
from fenix.service.schema import current_revision, newest_revision, upgrade

__all__ = [
    "CannotStart",
    "HttpServer",
    "Parts",
    "add_key",
    "build",
    "current_revision",
    "listen",
    "newest_revision",
    "purge_sessions",
    "read_config",
    "reseal",
    "run",
    "run_until_signalled",
    "set_up_log",
    "upgrade",
    "utc_now",
]
