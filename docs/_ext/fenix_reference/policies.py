"""The policies, from the defaults in the code."""

from collections.abc import Iterator

from fenix.api.policies import list_rules
from fenix_reference.markdown import code, table


def page() -> str:
    """Who is who, and then each policy with its calls."""
    roles, calls = [], []
    for rule in list_rules():
        operations = getattr(rule, "operations", None)
        if not rule.description:
            raise ValueError(f"nobody has described the policy {rule.name}")
        if operations is None:
            roles.append((code(rule.name), code(rule.check_str), rule.description))
        else:
            made = ", ".join(code(f"{one['method']} {one['path']}") for one in operations)
            calls.append((code(rule.name), code(rule.check_str), rule.description, made))
    return "\n".join(_parts(roles, calls))


def _parts(roles: list[tuple[str, ...]], calls: list[tuple[str, ...]]) -> Iterator[str]:
    yield "## Who is who\n"
    yield table(("name", "default", "meaning"), roles)
    yield "## Who may do what\n"
    yield table(("policy", "default", "meaning", "calls"), calls)
