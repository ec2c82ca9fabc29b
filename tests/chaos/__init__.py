"""Real engines over real servers, while somebody kills, freezes and restarts them.

`make chaos` runs all of it and reports; a small version is among the tests for services.
"""
