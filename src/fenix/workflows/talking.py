"""How a workflow talks with projects: who is asked, until when, and what silence means."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from fenix.domain import Instance, ProjectState, Reply, SilentPolicy, UnmanagedPolicy
from fenix.workflows.base import Context, SessionFailed

SHORTEST_WINDOW = timedelta(seconds=10)
"""A project gets at least this long to answer, however near the maintenance is."""


async def meet(context: Context, project_ids: Iterable[str]) -> None:
    """Makes projects known to the session.

    Raises:
        SessionFailed: nobody can be asked for one, and the session's options refuse that.
    """
    met = [await context.meet_project(ident) for ident in sorted(set(project_ids))]
    unmanaged = [project.id for project in met if not project.reached]
    policy = context.session.request.options.unmanaged_projects
    if unmanaged and policy is UnmanagedPolicy.REFUSE:
        raise SessionFailed(
            f"no channel reaches an application manager of project {', '.join(unmanaged)}; "
            "subscribe one, or create the session with option unmanaged_projects: move"
        )


def reply_by(context: Context, seconds: float, latest: datetime | None = None) -> datetime:
    """Until when a reply counts: in the future, and before `latest` as far as that can be.

    Args:
        seconds: how long a project may take.
    """
    now = context.now()
    deadline = now + timedelta(seconds=seconds)
    if latest is not None and latest < deadline:
        deadline = max(latest, now + min(SHORTEST_WINDOW, timedelta(seconds=seconds)))
    return deadline


async def ask_each(
    context: Context,
    key: str,
    state: ProjectState,
    instances: Mapping[str, Sequence[Instance]],
    deadline: datetime,
    actions_at: datetime,
) -> dict[str, Reply | None]:
    """Asks projects the same question at the same time.

    Args:
        key: names the question; the project is added to it.
        instances: for each project that is asked, the instances concerned.

    Returns:
        The answer of each project; None for a silent one.
    """

    async def one(project_id: str) -> Reply | None:
        return await context.ask(
            f"{key}:{project_id}",
            project_id,
            state,
            reply_by=deadline,
            actions_at=actions_at,
            instances=instances[project_id],
        )

    asked = [ident for ident in sorted(instances) if context.projects[ident].reached]
    async with asyncio.TaskGroup() as tasks:
        answers = {ident: tasks.create_task(one(ident)) for ident in asked}
    return {ident: task.result() for ident, task in answers.items()}


def agreed(
    context: Context,
    state: ProjectState,
    answers: Mapping[str, Reply | None],
    *,
    may_skip: bool = True,
) -> None:
    """Checks that nobody refused, and that silence is allowed where there was some.

    Args:
        may_skip: the hosts of a silent project can still be left out.

    Raises:
        SessionFailed: with who refused or was silent.
    """
    refused = [ident for ident, reply in answers.items() if reply and reply.state == state.nack]
    if refused:
        raise SessionFailed(f"project {', '.join(refused)} answered {state.nack}")
    silent = [ident for ident, reply in answers.items() if reply is None]
    policy = context.session.request.options.silent_projects
    allowed = policy is SilentPolicy.PROCEED or (may_skip and policy is SilentPolicy.SKIP_HOST)
    if silent and not allowed:
        raise SessionFailed(f"project {', '.join(silent)} did not answer {state} in time")
