"""Virtual time: scenarios, simulated managers, faults, invariants; the engine itself is real."""
