"""The entry point ``simulated``: Fenix as a client of a simulated cloud in another process.

Not named `create`, as its function is: the import of a module takes its name in the package.
"""

from oslo_config import cfg

from fenix.clouds.simulated.client import RemoteSimulatedCloud
from fenix.clouds.simulated.wire import DEFAULT_PORT

GROUP = "simulated_cloud"

OPTIONS: list[cfg.Opt] = [
    cfg.URIOpt(
        "url",
        default=f"http://127.0.0.1:{DEFAULT_PORT}",
        schemes=["http"],
        help="Where the simulated cloud listens.",
    ),
]


def create(conf: cfg.ConfigOpts) -> RemoteSimulatedCloud:
    """The cloud that the configuration names in group ``[simulated_cloud]``; asks it nothing."""
    conf.register_opts(OPTIONS, group=GROUP)
    return RemoteSimulatedCloud(conf[GROUP].url)
