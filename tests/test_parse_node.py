import pytest

from advisor.errors import ParseError
from advisor.parse import node
from tests.parse_samples import sample

NODE1 = "sys/devices/system/node/node1/"


def test_numastat() -> None:
    parsed = node.numastat(sample("numa", NODE1 + "numastat"))
    assert parsed == node.Numastat(
        {
            "numa_hit": 812093482,
            "numa_miss": 62408,
            "numa_foreign": 31204,
            "interleave_hit": 61203,
            "local_node": 812031205,
            "other_node": 62278,
        },
        (),
    )


def test_distance() -> None:
    assert node.distance(sample("numa", NODE1 + "distance")) == (21, 10)


@pytest.mark.parametrize("text", ["", "\n", "10 2", "10 x\n", "10 21\n10 21\n"])
def test_distances_that_may_be_cut_off_or_are_none_are_an_error(text: str) -> None:
    with pytest.raises(ParseError, match="distances"):
        node.distance(text)
