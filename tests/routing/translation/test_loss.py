from tollgate.routing.translation.loss import Loss, Losses, Untranslatable


def test_a_loss_is_noted_once() -> None:
    losses = Losses()
    losses.note("top_k", "top_k")
    losses.note("top_k", "top_k")

    assert losses == [Loss("top_k", "top_k")]


def test_what_nobody_reads_is_noted_with_its_place_unless_it_is_null() -> None:
    losses = Losses()
    losses.rest({"a": 1, "b": 2, "c": None, "d": 0}, ("a",), "x[0]", hints=("d",))
    losses.rest({"e": 1}, ())

    assert losses == [Loss("b", "x[0].b"), Loss("d", "x[0].d", hint=True), Loss("e", "e")]


def test_untranslatable_carries_what_was_lost() -> None:
    assert Untranslatable("no", [Loss("a", "b")]).losses == [Loss("a", "b")]
    assert issubclass(Untranslatable, ValueError)
