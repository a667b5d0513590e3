"""What can never be placed, and what not every node can see, told from what a cluster has and may come to have."""

from pathlib import Path

import pytest

from ray_jobs.cluster.capacity import Capacity, NodeType
from ray_jobs.cluster.preflight import SHIPPED, files_in
from ray_jobs.stages import Place

HEAD = NodeType("head", 0, 0)
CPU = NodeType("cpu-spot", 16, 0, most=8)
GPU = NodeType("gpu-spot", 8, 1, most=4)


@pytest.mark.parametrize(
    ("place", "shares"),
    [
        (Place(1), 8 * 16 + 4 * 8),
        (Place(16), 8),
        (Place(17), 0),
        (Place(1, 0.25), 4 * 4),
        (Place(8, 1), 4),
        (Place(9, 1), 0),
        (Place(1, 2), 0),
    ],
)
def test_shares_are_counted_node_by_node(place: Place, shares: int) -> None:
    assert Capacity((HEAD,), (CPU, GPU)).fit(place) == shares


@pytest.mark.parametrize(
    ("there", "spreads"),
    [
        (Capacity((CPU,), ()), False),
        (Capacity((CPU, CPU), ()), True),
        (Capacity((CPU,), (GPU,)), True),
        (Capacity((HEAD,), None), True),
        (Capacity((CPU,), None), False),
    ],
    ids=["one machine", "two", "an autoscaler", "a head that others work for", "one machine, seen from elsewhere"],
)
def test_work_that_may_leave_this_machine_is_known(there: Capacity, spreads: bool) -> None:
    assert there.spreads is spreads


def test_files_of_a_recipe_are_found_wherever_they_stand_but_for_those_that_travel(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    shipped = tmp_path / SHIPPED / "_ray_pkg_1"
    shipped.mkdir(parents=True)
    (shipped / "words.tsv").touch()
    recipe = {
        "corpora": [
            {"files": {"deu": str(tmp_path / "a.txt"), "nld": f"{tmp_path}/*.txt.gz", "fin": "s3://b/fin.txt"}}
        ],
        "taggers": {"deu": {"file": str(shipped / "words.tsv"), "model": "some/model"}},
        "seed": 1,
        "missing": "/no/such/file",
    }
    assert list(files_in(recipe)) == [str(tmp_path / "a.txt"), f"{tmp_path}/*.txt.gz"]
