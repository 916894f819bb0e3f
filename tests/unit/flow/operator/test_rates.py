"""Rate files: what is read, and which line a refusal names."""

from __future__ import annotations

import pytest

from rejoinder.errors import Refused
from rejoinder.flow.operator.rates import Rate, read_csv
from rejoinder.flow.pricing import Prices


@pytest.mark.parametrize(
    "text",
    [
        "49,0.075\n4915,0.08\n*,1\n",
        "prefix,price\n49,0.075\n4915,0.08\n*,1\n",
        "\ufeffPrefix;Price;Country\n+49;0.075;Germany\n4915;0.08;\n*;1;all",
        "country\tprice\tprefix\n\t0.075\t49\nx\t0.080\t4915\n\ny\t1.000\t*\n",
        '"49","0.075"\n"4915","0.08"\n"*","1"\n',
        " 49 , 0.075 \n4915,0.08\n\n*,1\n",
    ],
)
def test_the_forms_that_programs_write_are_read(text: str) -> None:
    assert read_csv(text.splitlines()) == [Rate("49", 75), Rate("4915", 80), Rate("", 1000)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no rates"),
        ("prefix,price\n", "no rates"),
        ("49,0.075\nx49,1\n", "line 2: prefix"),
        ("49,0.075\n49151234567890123,1\n", "line 2: prefix"),
        ("prefix,price\n49,cheap\n", "line 2: price"),
        ("49,0.0755\n", "line 1: price"),
        ("49,-1\n", "line 1: price"),
        ("49,1e3\n", "line 1: price"),
        ("49,\n", "line 1: price"),
        ("49\n", "line 1: price"),
        (",1\n49,1\n", "line 1: "),
        ("49,1\n,1\n", "line 2: the prefix is missing"),
        ("49,1\n+49,2\n", "line 2: prefix 49 stands on line 1 already"),
        ("*,1\n49,1\n*,1\n", "line 3: prefix * stands on line 1 already"),
        ("49,1000000.001\n", "line 1: price must be at most"),
        ("number,cost\n49,1\n", "line 1: the first line must name"),
        ("49,x\n50,y\n51,z\n52,a\n53,b\n54,c\n55,d\n", "and 2 lines more"),
    ],
)
def test_a_fault_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        read_csv(text.splitlines())
    assert said in refused.value.sentence


@pytest.mark.parametrize(
    ("number", "rate"),
    [
        ("4915112345678", ("4915", 80)),
        ("4930123456", ("49", 75)),
        ("6125558888", ("", 500)),
        ("49", ("49", 75)),
    ],
)
def test_the_longest_prefix_counts(number: str, rate: tuple[str, int]) -> None:
    table = {(1, "49"): 75, (1, "4915"): 80, (1, ""): 500, (2, "491511"): 1, (2, "6"): 9}
    assert Prices(table).rate(1, number) == rate


def test_without_a_rate_a_part_costs_a_credit() -> None:
    assert Prices({}).rate(1, "4915112345678") == (None, 1000)
    assert Prices({(2, "49"): 75}).rate(1, "4915112345678") == (None, 1000)
