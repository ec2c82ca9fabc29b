"""Long series of cases in parts, of which some leave `make test` for `make test-services`.

All of them are run by `.ci/run`; `make test` is to stay short.
"""

from typing import Any

import pytest


def chunks(count: int) -> list[Any]:
    """Numbers of parts for `parametrize`; seven of eight run with the services."""
    return [
        pytest.param(number, marks=pytest.mark.services) if number % 8 else number
        for number in range(count)
    ]
