"""The page of the documentation that shows what a benchmark has measured."""

from collections.abc import Sequence

from fenix.simulation.bench import LARGE, PlanRun, Run
from fenix.simulation.bench_tables import comparison, costs, problems, results
from fenix.simulation.generate import DESCRIPTIONS

TEMPLATE = """\
# Benchmarks

How long maintenances take in simulated clouds, written by `fenix bench --docs {path}`{where}. All
scenarios are made by `fenix scenario generate`, {seeds}; each run is the real engine with the
real workflow in virtual time, in a process of its own.

{families}

## Workflow {workflow}

{results}

*Makespan* is the time from the first move or work on a host to the last host back, and *bound* a
lower bound that no schedule can beat: the longest of those that follow from free capacity, the
groups' limits, slots for moves and hosts, and the longest single host. *Worst* is the worst seed.
That bound uses free capacity to the last vCPU, as if 1.9 hosts could be worked on at a time.
*Makespan/rounds* compares with one that also counts that hosts are worked on whole, so in rounds.
*Moves/bound* compares with one move for each instance that must leave its host; *second moves* went
to hosts that were still to come. *CPU* and *memory* are those of the whole process: engine,
simulated cloud and managers. Means are over the seeds that were done; ratios are geometric means.

## Other policies

How many times as long other ways to do it take, on the same simulator with the same engine:

{comparison}

* `serial`: one host at a time, one instance at a time.
* `drain`: one host at a time in the order of names, its instances in parallel, targets left to the
  cloud's scheduler, as drain playbooks do.
* `batch`: as many hosts as can be emptied at once, and a barrier before the next ones.

All of them wait for the managers' answers, keep the groups' limits, and ask for a scale-in when
there is no way on. Where a scenario limits how many hosts are worked on at one time, little more
than that can be gained over `serial`: 20 of 200 in it, 5 of 100 and 50 of 1,000 in region.
"""

COSTS = """
## What it costs

{costs}

Decisions are those of workflow {workflow}: what may start now. A plan is the whole session carried
out on a copy of the cloud (see [plans](howto/plan.md)).
"""

PROBLEMS = "\n## What was not done, or not well\n\n{lines}\n"

LOAD = "## Load"
"""Heading of the page's last section, which is measured by itself."""


def kept_section(text: str) -> str:
    """The section about the load of a page, with an empty line before it; empty: it has none."""
    _, heading, rest = text.partition(f"\n{LOAD}\n")
    return heading + rest


def page(
    runs: Sequence[Run],
    workflow: str,
    policies: Sequence[str],
    path: str,
    plans: Sequence[PlanRun] = (),
    where: str = "",
) -> str:
    """The page in Markdown.

    Args:
        path: where it goes.
        where: on which machine and of which version, as the end of a sentence.
    """
    seeds = max(run.seed for run in runs)
    shown = {run.family for run in runs}
    families = [f"* {name}: {text}" for name, text in DESCRIPTIONS.items() if name in shown]
    numbers = "one seed" if seeds == 1 else f"seeds 1 to {seeds}"
    if seeds > 1 and any(run.size >= LARGE[0].size for run in runs):
        numbers += " (the largest with seed 1)"
    text = TEMPLATE.format(
        path=path,
        where=where,
        seeds=numbers,
        families="\n".join(families),
        workflow=workflow,
        results=results(runs, workflow).markdown(),
        comparison=comparison(runs, workflow, policies).markdown(),
    )
    grid = costs(runs, plans, workflow)
    if grid.rows:
        text += COSTS.format(costs=grid.markdown(), workflow=workflow)
    if found := problems(runs):
        text += PROBLEMS.format(lines="\n".join(f"* {line}" for line in found))
    return text
