"""Nova's four set-up commands with one import of Nova: a fork for each.

usage: nova_setup.py NOVA_CONF NOVA_DB_CONF CELL0_URL CELL1_URL TRANSPORT_URL
"""

import os
import sys

from nova.cmd import manage

ALREADY_DONE = 2


def steps(cell0, cell1, transport):
    cell1_options = [f"--database_connection={cell1}", f"--transport-url={transport}"]
    return [
        ["api_db", "sync"],
        ["cell_v2", "map_cell0", f"--database_connection={cell0}"],
        ["cell_v2", "create_cell", "--name=cell1", *cell1_options],
        ["db", "sync"],
    ]


def in_a_fork(arguments):
    """Run nova-manage in a process of its own, since it reads its configuration only once."""
    pid = os.fork()
    if pid == 0:
        sys.argv = ["nova-manage", *arguments]
        try:
            code = manage.main()
        except SystemExit as end:
            code = end.code
        sys.stdout.flush()
        os._exit(code or 0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main():
    nova_conf, nova_db_conf, cell0, cell1, transport = sys.argv[1:]
    files = [f"--config-file={nova_conf}", f"--config-file={nova_db_conf}"]
    for step in steps(cell0, cell1, transport):
        code = in_a_fork([*files, *step])
        print(" ".join(step[:2]), "ended with", code, flush=True)
        if code not in (0, ALREADY_DONE):
            sys.exit(code)


if __name__ == "__main__":
    main()
