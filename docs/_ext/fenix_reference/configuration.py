"""All options of the configuration file, from `fenix.config.list_opts`."""

from collections import defaultdict
from collections.abc import Iterator

from oslo_config import cfg

from fenix.config import list_opts
from fenix_reference.markdown import code

_ELSEWHERE = """\
Besides these groups the file may have those of the libraries that Fenix uses:
`[keystone_authtoken]` (keystonemiddleware: how tokens are checked, with `auth_strategy =
keystone`), `[oslo_policy]` (oslo.policy: where policy files are),
`[oslo_messaging_notifications]` and `[oslo_messaging_rabbit]` (oslo.messaging: where RabbitMQ is),
and oslo.log's options in `[DEFAULT]` (`debug`, `log_file`, `use_stderr`, ...).
"""

_KINDS: dict[type[cfg.Opt], str] = {
    cfg.BoolOpt: "true or false",
    cfg.FloatOpt: "number",
    cfg.IntOpt: "integer",
    cfg.ListOpt: "list, with commas",
    cfg.PortOpt: "port",
    cfg.URIOpt: "URL",
}


def page() -> str:
    """A section for each group."""
    groups: dict[str, list[cfg.Opt]] = defaultdict(list)
    for name, opts in list_opts():
        groups[name] += opts
    parts = [_ELSEWHERE]
    for name, opts in groups.items():
        parts.append(f"## [{name}]\n\n" + "\n".join(_option(name, opt) for opt in opts))
    return "\n".join(parts)


def _option(group: str, opt: cfg.Opt) -> str:
    notes = "; ".join(_notes(opt))
    anchor = f"({group.lower()}-{opt.dest.replace('_', '-')}-option)="
    text = " ".join((opt.help or "").split())
    return f"{anchor}\n{code(opt.name.replace('-', '_'))}\n: {text}\n\n  *{notes}*\n"


def _notes(opt: cfg.Opt) -> Iterator[str]:
    yield _KINDS.get(type(opt), "text")
    low, high = getattr(opt.type, "min", None), getattr(opt.type, "max", None)
    if low is not None and high is not None:
        yield f"{low:g} to {high:g}"
    elif low is not None:
        yield f"{low:g} or more"
    if choices := getattr(opt.type, "choices", None):
        yield "one of " + ", ".join(code(choice) for choice in choices)
    default = opt.sample_default if opt.sample_default is not None else opt.default
    if default is None:
        yield "no default"
    elif isinstance(default, list | tuple):
        yield "default " + (code(",".join(map(str, default))) if default else "empty")
    else:
        yield f"default {code(default)}"
    if opt.required:
        yield "required"
    if opt.secret:
        yield "not shown in logs"
