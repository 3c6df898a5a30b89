from tollgate.calls import Quotes


def test_nobody_knows_prices_until_somebody_says_so() -> None:
    assert Quotes().ask is None
