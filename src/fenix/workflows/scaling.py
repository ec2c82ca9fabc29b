"""Asks applications to give capacity back, in rounds, and waits until the cloud shows it."""

from collections import Counter
from collections.abc import Collection

from fenix.domain import Inventory, ProjectState, Resources, total
from fenix.workflows.base import Context, SessionFailed
from fenix.workflows.common import instances_by_project
from fenix.workflows.looking import until
from fenix.workflows.talking import ask_each, reply_by


def refused(context: Context, project_id: str) -> bool:
    """Whether a project has refused to scale in."""
    return context.projects[project_id].reply == ProjectState.SCALE_IN.nack


def willing(context: Context) -> list[str]:
    """The projects that can be asked and have not refused to scale in."""
    return sorted(
        ident
        for ident, project in context.projects.items()
        if project.reached and not refused(context, ident)
    )


def given(context: Context) -> dict[str, Resources]:
    """What each project that was asked has given in the session so far."""
    kept = context.memory.get("given", {})
    return {ident: Resources(*amounts) for ident, amounts in kept.items()}


async def scale_in(
    context: Context, before: Inventory, projects: Collection[str], why: str
) -> Inventory:
    """One round: asks projects, and waits until what they gave shows in the cloud.

    Args:
        before: the cloud before the round.
        projects: whom to ask.
        why: what is in the way, for the reason of a failure.

    Returns:
        The cloud after the round.

    Raises:
        SessionFailed: nothing was given.
    """
    after, said = await ask_to_scale_in(context, before, projects)
    if after is not None:
        return after
    raise no_room(said, why)


def no_room(said: str, why: str) -> SessionFailed:
    """The failure when nobody gives room, with what the projects answered, if any was asked."""
    return SessionFailed(
        "no host can be emptied, and no scale-in gives room: "
        + (f"{said}, and no instance is gone" if said else "there is no project that can be asked")
        + f"; {why}"
    )


async def ask_to_scale_in(
    context: Context, before: Inventory, projects: Collection[str]
) -> tuple[Inventory | None, str]:
    """One round, as `scale_in`, for when it need not succeed.

    Returns:
        The cloud after the round; None: nothing was given. And what the projects answered.
    """
    number = int(context.memory.get("scale_in", 1))
    options = context.session.request.options
    instances = instances_by_project(before, before.hosts)
    deadline = reply_by(context, options.scale_in_timeout)
    answers = await ask_each(
        context,
        f"SCALE_IN:{number}",
        ProjectState.SCALE_IN,
        {ident: instances.get(ident, ()) for ident in projects},
        deadline,
        deadline,
    )

    # Also what was there when they were asked, maybe before a restart.
    owners = {one: ident for ident in answers for one in context.projects[ident].instance_ids}
    owners |= {one.id: one.project_id for one in before.instances.values()}
    had = Counter(owners.values())

    def smaller(now: Inventory) -> bool:
        # By number, since some may only be built anew (OWN_ACTION).
        has = Counter(one.project_id for one in now.instances.values())
        return any(has[project] < count for project, count in had.items())

    # What counts is what was freed: some managers agree and free nothing, others free something
    # and never answer.
    agreed = any(reply and reply.state == ProjectState.SCALE_IN.ack for reply in answers.values())
    after = await until(
        context,
        smaller,
        options.settle_timeout if agreed else 0,
        "cloud",
        "show that instances are gone after the scale-in",
    )
    gifts = given(context)
    left = instances_by_project(after, after.hosts) if after is not None else instances
    for ident in answers:
        was, now = (total([one.size for one in its.get(ident, ())]) for its in (instances, left))
        gifts[ident] = gifts.get(ident, Resources()).plus(was.lacking(now))
    await context.remember(scale_in=number + 1, given=gifts)
    said = ", ".join(
        f"project {ident} {reply.state if reply else 'did not answer'}"
        for ident, reply in answers.items()
    )
    return after, said
