"""Generated scenarios stay what they are: results of different releases are compared by them."""

import hashlib
import json
from pathlib import Path

import pytest

from fenix.simulation.generate import DESCRIPTIONS, generate, written
from fenix.simulation.loading import load, parse
from fenix.simulation.scenario import Scenario

EXAMPLES = Path(__file__).parents[2] / "scenarios"

DIGESTS = {
    ("doctor", 3, 1): "dcc883e46791dd54",
    ("doctor", 10, 2): "7f68f617ae693728",
    ("telco", 24, 1): "e38ecc3e6878eb7d",
    ("tight", 50, 2): "f090399677db4b2e",
    ("it", 200, 1): "6f70aaeedd143105",
    ("mixed", 12, 5): "5d910a2aaa1022b0",
    ("region", 100, 2): "2f1a872743ed07b6",
}

FULLNESS = {"doctor": 1.0, "telco": 0.85, "tight": 0.95, "it": 0.65, "mixed": 0.75, "region": 0.72}


@pytest.mark.parametrize(("family", "size", "seed"), DIGESTS)
def test_same_as_ever(family: str, size: int, seed: int) -> None:
    text = json.dumps(generate(family, size, seed), sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == DIGESTS[family, size, seed]


@pytest.mark.parametrize("family", DESCRIPTIONS)
def test_scenarios(family: str) -> None:
    """They are valid and as full as their family says."""
    scenario = parse(written(generate(family, 30, 4)))
    assert scenario.name == f"{family}-30-4"
    assert len(scenario.hosts) == 30
    used = sum(one.vcpus for one in scenario.instances) / sum(h.vcpus for h in scenario.hosts)
    assert used == pytest.approx(FULLNESS[family], abs=0.05)


def test_seeds_differ() -> None:
    assert generate("telco", 10, 1)["instances"] != generate("telco", 10, 2)["instances"]


def test_wrong_values() -> None:
    with pytest.raises(ValueError, match="family: 'none' is not known; allowed: doctor, telco"):
        generate("none", 3, 1)
    with pytest.raises(ValueError, match="size: 1 is too small"):
        generate("doctor", 1, 1)


@pytest.mark.parametrize("file", sorted(EXAMPLES.iterdir()), ids=lambda file: file.stem)
def test_examples(file: Path) -> None:
    """Those that come with the project are valid, and what the generator makes."""
    scenario = load(file)
    family, size, *seeds = scenario.name.split("-")
    assert file.stem == f"{family}-{size}"
    if family == "crashes":
        return  # It is made by hand.
    (seed,) = seeds
    assert scenario == Scenario.model_validate(generate(family, int(size), int(seed)))
