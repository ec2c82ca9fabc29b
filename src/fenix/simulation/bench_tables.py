"""The tables of a benchmark, for the terminal and for the documentation alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from fenix.simulation.bench import (
    Case,
    PlanRun,
    Run,
    by_case,
    gains,
    geometric_mean,
    growth,
    mean,
)

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table in words.

    Attributes:
        columns: their headings.
        rows: one text for each column.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table for the documentation; numbers are aligned to the right."""
        rule = ["---", *["---:"] * (len(self.columns) - 1)]
        lines = (self.columns, rule, *self.rows)
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def results(runs: Sequence[Run], workflow: str) -> Grid:
    """What the workflow did: means over the seeds, the ratios as geometric means."""
    columns = (
        "scenario",
        "done",
        "makespan s",
        "bound s",
        "makespan/bound",
        "worst",
        "makespan/rounds",
        "moves",
        "moves/bound",
        "second moves",
        "scaled in",
        "violations",
        "CPU s",
        "memory MiB",
    )
    cases = by_case(runs, workflow)
    rows = [_row(case, mine) for case, mine in cases.items()]
    ratios = [ratio for mine in cases.values() if (ratio := _ratio(mine)) is not None]
    moves = [ratio for mine in cases.values() if (ratio := _moves_ratio(mine)) is not None]
    total = [NOTHING] * len(columns)
    total[0] = "geometric mean"
    rounds = [ratio for mine in cases.values() if (ratio := _rounds_ratio(mine)) is not None]
    for heading, values in (
        ("makespan/bound", ratios),
        ("makespan/rounds", rounds),
        ("moves/bound", moves),
    ):
        total[columns.index(heading)] = _number(geometric_mean(values), 3)
    return Grid(f"Workflow {workflow}", columns, [*rows, total])


def comparison(runs: Sequence[Run], workflow: str, policies: Sequence[str]) -> Grid:
    """How many times as long each policy takes."""
    gained = {policy: gains(runs, workflow, policy) for policy in policies}
    cases = [
        case
        for case in by_case(runs, workflow)
        if any(by_case(runs, policy).get(case) for policy in policies)
    ]
    rows = [
        [_name(case), *(_gain(runs, case, policy, gained[policy].get(case)) for policy in policies)]
        for case in cases
    ]
    total = [_number(geometric_mean(list(gained[policy].values())), 2) for policy in policies]
    title = f"Makespan of policies, in makespans of workflow {workflow}"
    return Grid(title, ("scenario", *policies), [*rows, ["geometric mean", *total]])


def costs(runs: Sequence[Run], plans: Sequence[PlanRun], workflow: str) -> Grid:
    """What simulations and plans cost, and how that grows."""
    rows = []
    for family, (small, large, exponent) in growth(runs, workflow).items():
        mine = by_case(runs, workflow)[large]
        what = f"simulate {family} {large.size}"
        rows += [
            [what, f"{_number(mean([run.cpu_s for run in mine]), 1)} s of processor time"],
            [f"{what}, the longest decision", f"{max(run.decision_s for run in mine):.3f} s"],
            [
                f"growth from {small.size} to {large.size} hosts",
                f"hosts to the power {exponent:.2f}",
            ],
        ]
    for plan in plans:
        done = "" if plan.feasible else ", not feasible"
        rows.append(
            [
                f"plan {plan.hosts:,} hosts and {plan.instances:,} instances",
                f"{plan.wall_s:,.0f} s, {plan.cpu_s:,.0f} s of processor time, "
                f"{plan.peak_memory_mb:,.0f} MiB{done}",
            ]
        )
    return Grid("Costs", ("what", "how much"), rows)


def problems(runs: Sequence[Run]) -> list[str]:
    """What was not done, and what happened that must not, in words."""
    told = []
    for run in runs:
        name = f"{run.family}-{run.size}-{run.seed}, {run.workflow}"
        if not run.done:
            told.append(f"{name}: {run.state}: {run.reason[:300]}")
        if run.violations:
            told.append(f"{name}: {run.violations} violations")
    return told


def _row(case: Case, runs: Sequence[Run]) -> list[str]:
    done = [run for run in runs if run.done]
    worst = max((run.ratio for run in done if run.ratio is not None), default=None)
    return [
        _name(case),
        f"{len(done)}/{len(runs)}",
        _number(mean([run.makespan_s for run in done])),
        _number(mean([run.lower_bound_s for run in done])),
        _number(_ratio(runs), 3),
        _number(worst, 3),
        _number(_rounds_ratio(runs), 3),
        _number(mean([run.moves for run in done])),
        _number(_moves_ratio(runs), 3),
        _number(mean([run.second_moves for run in done]), 1),
        _number(mean([run.scaled_in for run in done]), 1),
        str(sum(run.violations for run in runs)),
        _number(mean([run.cpu_s for run in runs]), 1),
        _number(max(run.peak_memory_mb for run in runs)),
    ]


def _ratio(runs: Sequence[Run]) -> float | None:
    return geometric_mean([run.ratio for run in runs if run.ratio])


def _rounds_ratio(runs: Sequence[Run]) -> float | None:
    return geometric_mean([run.makespan_s / run.possible_s for run in runs if run.possible_s])


def _moves_ratio(runs: Sequence[Run]) -> float | None:
    counted = [run for run in runs if run.done and run.moves and run.moves_lower_bound]
    return geometric_mean([run.moves / run.moves_lower_bound for run in counted])


def _gain(runs: Sequence[Run], case: Case, policy: str, gain: float | None) -> str:
    mine = by_case(runs, policy).get(case, [])
    failed = sum(not run.done for run in mine)
    if gain is None:
        return "failed" if failed else NOTHING
    return _number(gain, 2) + (f" ({failed} of {len(mine)} failed)" if failed else "")


def _name(case: Case) -> str:
    return f"{case.family} {case.size}"


def _number(value: float | None, digits: int = 0) -> str:
    return NOTHING if value is None else f"{value:,.{digits}f}"
