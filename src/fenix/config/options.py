"""The options that are not made from something else, group by group."""

import socket

from oslo_config import cfg

from fenix.store.database import CONNECT_SECONDS

LONGEST_ENDPOINT = 120
"""Characters: a reply URL must fit a trait of 255 with three ids behind the endpoint."""


DEFAULT: list[cfg.Opt] = [
    cfg.StrOpt(
        "state_path",
        default="/var/lib/fenix",
        help="Directory for what Fenix keeps on this machine: the embedded database and the logs "
        "of action plug-ins.",
    ),
    cfg.StrOpt(
        "machine",
        default=socket.gethostname(),
        sample_default="<this machine's name>",
        help="Name of this machine, the same after each start: the processes of action plug-ins "
        "are looked for only on the machine that started them.",
    ),
    cfg.StrOpt(
        "cloud",
        default="openstack",
        help="The driver of the cloud under maintenance: an entry point in group fenix.clouds.",
    ),
    cfg.ListOpt(
        "channels",
        default=["bus", "http"],
        help="The channels by which messages leave: entry points in group fenix.channels. `bus` "
        "is the notification bus that Telemetry listens on, `http` brings messages to the URLs "
        "that projects have subscribed.",
    ),
]

DATABASE: list[cfg.Opt] = [
    cfg.StrOpt(
        "connection",
        default="sqlite:///$state_path/fenix.sqlite",
        secret=True,
        help="URL of the database, in SQLAlchemy's form. SQLite serves one process; several need "
        "mysql+pymysql:// (MariaDB) or postgresql+psycopg://.",
    ),
]

API: list[cfg.Opt] = [
    cfg.HostAddressOpt(
        "host",
        default="0.0.0.0",
        help="Address to listen on. Only loopback is allowed with auth_strategy = none.",
    ),
    cfg.PortOpt("port", default=12347, help="Port to listen on."),
    cfg.URIOpt(
        "public_endpoint",
        schemes=["http", "https"],
        default="http://$machine:${api.port}/v1",
        help="URL of the API, /v1 included, as the applications' managers reach it: the reply_url "
        f"and instance_ids in messages begin with it. At most {LONGEST_ENDPOINT} characters.",
    ),
    cfg.StrOpt(
        "auth_strategy",
        default="keystone",
        choices=[
            ("keystone", "tokens are checked with Keystone, see [keystone_authtoken]"),
            ("none", "everybody is the administrator; for trials on loopback"),
        ],
        help="How callers are known.",
    ),
    cfg.ListOpt(
        "admin_roles",
        default=["admin"],
        help="Any of these roles on any project, or on the system, makes an administrator.",
    ),
    cfg.ListOpt(
        "reader_roles",
        default=["reader"],
        help="Any of these roles on the system lets see all sessions.",
    ),
    cfg.ListOpt(
        "project_roles",
        default=["member", "_member_"],
        help="Any of these roles on a project, or an administrator's, lets answer for it.",
    ),
    cfg.StrOpt(
        "admin_project_id",
        help="Id of the project that messages for infrastructure services carry when the "
        "administrator who creates a session has no project: a token for the system, or "
        "auth_strategy = none, where it is `admin` if unset.",
    ),
    cfg.IntOpt(
        "max_body_bytes",
        default=1024 * 1024,
        min=16 * 1024,
        max=64 * 1024 * 1024,
        help="Largest body of a request that is read; a larger one is answered with 413.",
    ),
    cfg.IntOpt(
        "subscriptions_per_project",
        default=16,
        min=0,
        max=1000,
        help="How many URLs a project may subscribe; 429 beyond that.",
    ),
    cfg.FloatOpt(
        "auth_timeout",
        default=20.0,
        min=1.0,
        max=120.0,
        help="Seconds that the check of a token may take until the call is answered with 503.",
    ),
]


def _seconds(name: str, default: float, low: float, high: float, help_text: str) -> cfg.Opt:
    return cfg.FloatOpt(name, default=default, min=low, max=high, help=help_text)


DAY = 86400.0
ENGINE: list[cfg.Opt] = [
    _seconds(
        "loop_interval", 1, 0.05, 60, "Seconds between two looks for work, replies and deletions."
    ),
    _seconds(
        "lease_seconds",
        15,
        1,
        600,
        "Seconds after which the sessions of a silent engine are taken over. Leases are renewed "
        "at a third of it, and two renewals may fail: at least three times loop_interval, plus "
        f"the {CONNECT_SECONDS} s that a new connection to a database server may take.",
    ),
    _seconds(
        "cloud_outage", 3600, 0, 7 * DAY, "Seconds that the cloud may be away until sessions fail."
    ),
    _seconds("cloud_retry", 5, 0.05, 300, "Seconds between two tries while the cloud is away."),
    _seconds("move_poll", 60, 0.05, 600, "Longest time in seconds between two looks at moves."),
    _seconds(
        "announce_limit",
        30,
        0,
        3600,
        "Seconds that the work on a host waits until the news of it is delivered.",
    ),
    _seconds(
        "delivery_backoff",
        1,
        0.05,
        600,
        "Seconds until a failed delivery of a message is tried again; doubles each time.",
    ),
    _seconds("delivery_backoff_limit", 60, 0.05, 3600, "Longest pause of that kind, in seconds."),
    _seconds(
        "delivery_give_up",
        3600,
        1,
        7 * DAY,
        "Age in seconds at which a message that nobody takes is given up.",
    ),
]
