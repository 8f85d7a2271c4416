"""Discovery finds in made-up monorepos what their maker knows of them."""

from __future__ import annotations

import filecmp
from pathlib import Path

import pytest
from monorepo import Monorepo

from unstate.batch.discover import discover
from unstate.batch.listing import listing, listing_json


@pytest.mark.parametrize("seed", range(4))
def test_what_is_found_is_the_truth(tmp_path: Path, seed: int) -> None:
    truth = Monorepo(tmp_path, services=15, seed=seed).write()
    estate = discover(tmp_path)
    assert {
        service.name: {
            "root": service.root,
            "frameworks": list(service.frameworks),
            "libraries": list(service.libraries),
            "owners": list(service.owners),
            "replicas": service.replicas,
            "holds": [f"{hold.path}:{hold.line}" for hold in service.holds],
            "tests": bool(service.test_command),
        }
        for service in estate.services
    } == {
        name: {
            key: bool(value) if key == "tests" else value
            for key, value in known.items()
            if key not in ("stores", "broken")
        }
        for name, known in truth.services.items()
    }
    assert {each.name: (each.root, list(each.used_by)) for each in estate.libraries} == {
        name: (known["root"], sorted(known["used_by"])) for name, known in truth.libraries.items()
    }
    assert list(estate.orphans) == sorted(truth.orphans)
    assert all(service.why for service in estate.services)


def test_one_seed_makes_one_repository(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append(Monorepo(tmp_path / name, services=5, files=60, seed=3).write())
    assert made[0] == made[1]
    compared = filecmp.dircmp(tmp_path / "one", tmp_path / "two", ignore=[".git"])
    assert not (compared.left_only or compared.right_only or compared.diff_files)
    assert len([*(tmp_path / "one").rglob("*.py")]) == pytest.approx(60, abs=20)


def test_the_list_names_each_service_with_what_is_known_of_it(tmp_path: Path) -> None:
    truth = Monorepo(tmp_path, services=15, seed=1).write()
    estate = discover(tmp_path)
    text = listing(estate)
    for name, known in truth.services.items():
        block = next(block for block in text.split("\n\n") if block.split()[0] == name)
        assert known["root"] in block
        assert known["owners"][0] in block
        assert all(hold in block for hold in known["holds"])
    assert text.endswith("2 Python files of no service\n")
    assert b'"schema": "unstate.estate/1"' in listing_json(estate)
