"""What the documents say of cost is what the price table gives."""

from pathlib import Path

from deploy.cost import GB_SECOND, REGION, SEEN, Month, lines, table

ROOT = Path(__file__).parent.parent.parent
COST = (ROOT / "docs/cost.md").read_text()
README = (ROOT / "README.md").read_text()


def dollars(month: Month) -> float:
    return sum(amount for _, amount in lines(month))


def test_the_table_is_what_the_formula_gives() -> None:
    assert table([Month(requests=count) for count in (0, 1000, 1_000_000)]) in COST
    assert f"{REGION} in {SEEN}" in COST


def test_the_short_formula_is_the_long_one_but_for_secrets() -> None:
    million = Month(requests=1_000_000)
    short = million.seconds * million.memory / 1024 * GB_SECOND["arm64"] + 0.000002
    assert "0.0000133334  +  0.000002" in COST
    assert abs(dollars(million) - 0.80 - short * 1e6) < 0.5


def test_what_is_said_in_words_is_right_too() -> None:
    for memory, said in ((1769, "$118"), (1024, "$69"), (512, "$36")):
        assert f"${dollars(Month(requests=1_000_000, memory=memory)):.0f}" == said
        assert said in COST
    assert "about $118" in README
    thousand = dollars(Month(requests=1000)) - dollars(Month(requests=0))
    assert (round(thousand * 100), "12 cents more" in README) == (12, True)


def test_nothing_is_paid_for_but_secrets_while_nobody_calls() -> None:
    assert dict(lines(Month(requests=0, secrets=2))) == {
        "Lambda, invocations": 0,
        "Lambda, time and memory": 0,
        "DynamoDB, a record for each call": 0,
        "DynamoDB, configuration": 0,
        "Secrets Manager": 3 * 0.40,
        "CloudWatch Logs": 0,
    }
