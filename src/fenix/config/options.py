"""The options that are not made from something else, group by group."""

import socket

from oslo_config import cfg

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
        "command_dir",
        sample_default="/etc/fenix/commands",
        help="Directory of the executables that the action plug-in `command` may run. Unset: none.",
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
    cfg.StrOpt(
        "admin_project_id",
        help="Id of the administrators' project. Where it is set, role admin on another project "
        "makes nobody an administrator of the cloud, and role reader on this one lets see all "
        "sessions. Messages for infrastructure services carry it when the administrator who "
        "creates a session has a token for the system. With auth_strategy = none it is `admin` "
        "if unset.",
    ),
    cfg.IntOpt(
        "max_body_bytes",
        default=1024 * 1024,
        min=16 * 1024,
        max=64 * 1024 * 1024,
        help="Largest body of a request that is read; a larger one is answered with 413.",
    ),
    cfg.FloatOpt(
        "body_timeout",
        default=30.0,
        min=1.0,
        max=600.0,
        help="Seconds that the body of a request may take to come; 408 after that.",
    ),
    cfg.FloatOpt(
        "requests_per_second",
        default=50.0,
        min=0.0,
        help="Calls that each project may make in a second, to each process of the API; 429 with "
        "Retry-After beyond that. 0: no limit.",
    ),
    cfg.IntOpt(
        "requests_burst",
        default=1000,
        min=1,
        help="Calls that a project which has rested may make at once, beyond requests_per_second.",
    ),
    cfg.IntOpt(
        "sessions",
        default=1000,
        min=1,
        help="How many sessions may be kept, those that have ended included; 429 beyond that.",
    ),
    cfg.IntOpt(
        "hosts_per_session",
        default=5000,
        min=1,
        help="How many hosts a session may have; 413 beyond that.",
    ),
    cfg.IntOpt(
        "constraints_per_project",
        default=10_000,
        min=0,
        help="How many instances and groups of a project may have constraints; 429 beyond that.",
    ),
    cfg.IntOpt(
        "subscriptions_per_project",
        default=16,
        min=0,
        max=1000,
        help="How many URLs a project may subscribe; 429 beyond that.",
    ),
    cfg.IntOpt(
        "tests_at_once",
        default=20,
        min=1,
        help="How many tests of subscriptions may wait for their receivers at the same time, in "
        "each process of the API; 429 beyond that.",
    ),
    cfg.IntOpt(
        "tests_at_once_per_project",
        default=4,
        min=1,
        help="How many of these may be for the subscriptions of one project; 429 beyond that.",
    ),
    cfg.FloatOpt(
        "auth_timeout",
        default=20.0,
        min=1.0,
        max=120.0,
        help="Seconds that the check of a token may take until the call is answered with 503.",
    ),
]


METRICS: list[cfg.Opt] = [
    cfg.PortOpt(
        "port",
        help="Port on which `fenix engine` shows what it has counted, at /metrics. Unset: it does "
        "not listen. An API shows it on its own port.",
    ),
    cfg.HostAddressOpt("host", default="127.0.0.1", help="Address that it listens on."),
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
        "at a third of it, and one renewal may fail: at least "
        "2 * (loop_interval + 2 * retry_timeout). The same for all engines.",
    ),
    _seconds(
        "retry_timeout",
        3,
        0.05,
        60,
        "Seconds that the database may take to renew leases, until it is asked again.",
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
