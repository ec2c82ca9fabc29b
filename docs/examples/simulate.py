"""Runs a scenario in virtual time. Usage: simulate.py SCENARIO_FILE WORKFLOW"""

import json
import sys
from pathlib import Path

from fenix.simulation.clock import run
from fenix.simulation.loading import load
from fenix.simulation.running import simulate

outcome = run(simulate(load(Path(sys.argv[1])), sys.argv[2]))
for event in outcome.stage.log.events:
    print(json.dumps(event))
print(outcome.session.state, outcome.session.reason or "", outcome.violations)
