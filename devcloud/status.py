"""A table of what runs and how much memory it takes."""

from devcloud import procfs
from devcloud.processes import Processes


def report(processes: Processes) -> bool:
    """Print a line for each service and the sum.

    Returns:
        True if there are services and the process that was started for each still runs.
    """
    names = processes.names()
    alright, total = bool(names), 0
    for name in names:
        sizes = [procfs.memory_kib(member.pid) for member in processes.members(name)]
        resident = sum(size[0] for size in sizes) // 1024
        proportional = sum(size[1] for size in sizes) // 1024
        runs = processes.is_whole(name)
        alright, total = alright and runs, total + proportional
        print(
            f"{name:24} {'runs' if runs else 'DEAD'}  processes {len(sizes):2}"
            f"  RSS {resident:5} MiB  PSS {proportional:5} MiB"
        )
    print(f"{len(names)} services, {total} MiB (PSS) in all" if names else "nothing runs")
    return alright
