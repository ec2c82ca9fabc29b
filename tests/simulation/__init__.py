"""Simulations of the real engine in virtual time."""

import pytest

pytest.register_assert_rewrite("tests.simulation.play")
