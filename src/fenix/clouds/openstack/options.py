"""The configuration group ``[openstack]``: where the cloud is and who we are there.

The account and the TLS options are keystoneauth's own, so that an operator finds the names that
every OpenStack service has, and every way to authenticate works.
"""

from keystoneauth1 import loading
from oslo_config import cfg

GROUP = "openstack"

_OWN: list[cfg.Opt] = [
    cfg.StrOpt(
        "cloud",
        help=(
            "Name of an entry in clouds.yaml that says where the cloud is and which account to "
            "use. Set either this or auth_type."
        ),
    ),
    cfg.StrOpt(
        "region_name",
        help="The region that Fenix maintains. Unset: the only one, or the one in clouds.yaml.",
    ),
    cfg.ListOpt(
        "interface",
        default=[],
        help=(
            "Kinds of endpoint to use (public, internal, admin), the best one first. Unset: what "
            "clouds.yaml says, or public."
        ),
    ),
    cfg.FloatOpt(
        "poll_interval",
        default=2.0,
        min=0.05,
        max=60.0,
        help=(
            "Seconds between two looks at running moves. A look costs one request to Nova plus "
            "at most a few more, however many moves are running."
        ),
    ),
    cfg.IntOpt(
        "workers",
        default=8,
        min=1,
        max=10,
        help="Threads that wait for the cloud's answers: the most requests at one time.",
    ),
]

# Shown in the reference because they are the usual ones; any plug-in of keystoneauth works.
_DOCUMENTED_AUTH = ("password", "v3applicationcredential")


def _session_opts() -> list[cfg.Opt]:
    opts = loading.get_session_conf_options()
    cfg.set_defaults(opts, timeout=60.0)
    return opts


def register(conf: cfg.ConfigOpts) -> None:
    """Makes the group known to a configuration; may be called again."""
    conf.register_group(
        cfg.OptGroup(GROUP, title="The OpenStack cloud", help="The cloud under maintenance.")
    )
    conf.register_opts(_OWN, group=GROUP)
    conf.register_opts(_session_opts(), group=GROUP)
    loading.register_auth_conf_options(conf, GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """All options of the group, in oslo.config's form for generated references and samples."""
    opts = _OWN + _session_opts() + loading.get_auth_common_conf_options()
    known = {opt.dest for opt in opts}
    for plugin in _DOCUMENTED_AUTH:
        for opt in loading.get_auth_plugin_conf_options(plugin):
            if opt.dest not in known:
                known.add(opt.dest)
                opts.append(opt)
    return [(GROUP, opts)]
