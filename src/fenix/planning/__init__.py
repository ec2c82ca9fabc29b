"""Pure decisions: what fits where, and what comes next. No I/O, no time of day."""

from fenix.planning.emptying import Emptying, plan_emptying
from fenix.planning.placement import Placement, place
from fenix.planning.room import Room

__all__ = ["Emptying", "Placement", "Room", "place", "plan_emptying"]
