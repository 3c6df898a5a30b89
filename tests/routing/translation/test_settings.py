from tollgate.routing.translation.loss import Loss, Losses
from tollgate.routing.translation.neutral import Setting
from tollgate.routing.translation.settings import Place, places, put, read, write

TABLE = places(temperature=Place("config.temperature", most=1), stop=Place("stop", items=2), n="n")


def test_settings_are_read_where_they_stand_and_null_is_none() -> None:
    found = read({"config": {"temperature": 0.5}, "stop": "x", "n": None}, TABLE)

    assert found == {"temperature": Setting(0.5), "stop": Setting(["x"])}
    assert found["temperature"].where == "config.temperature"


def test_settings_are_written_within_what_the_target_takes() -> None:
    losses = Losses()
    body: dict[str, object] = {"config": {"other": 1}}
    given = {"temperature": Setting(1.5, "t"), "stop": Setting(["a", "b", "c"], "s"), "n": Setting(3, "n")}
    write(given, TABLE, body, losses)

    assert body == {"config": {"other": 1, "temperature": 1}, "stop": ["a", "b"], "n": 3}
    assert losses == [Loss("temperature above 1", "t"), Loss("stop beyond the first 2", "s")]


def test_a_text_that_is_too_long_becomes_a_digest_and_the_same_one_each_time() -> None:
    """OpenAI takes 64 characters of `user`; Claude Code's metadata.user_id has about 200."""
    table, losses, bodies = places(user=Place("user", longest=64)), Losses(), [{}, {}, {}]  # type: ignore[var-annotated]
    for body, user in zip(bodies, ("u" * 65, "u" * 65, "u" * 64), strict=True):
        write({"user": Setting(user, "metadata.user_id")}, table, body, losses)

    assert len(bodies[0]["user"]) == 64
    assert bodies[0] == bodies[1] != bodies[2] == {"user": "u" * 64}
    assert losses == [Loss("user longer than 64", "metadata.user_id", hint=True)]


def test_what_has_no_place_is_lost_unless_it_says_nothing() -> None:
    losses = Losses()
    body: dict[str, object] = {}
    write(
        {"top_k": Setting(5, "top_k"), "user": Setting("u", "user"), "store": Setting(False, "store")},
        TABLE,
        body,
        losses,
    )

    assert body == {}
    assert losses == [Loss("top_k", "top_k"), Loss("user", "user", hint=True)]


def test_put_makes_the_objects_that_lead_to_a_place() -> None:
    body: dict[str, object] = {}
    put(body, "a.b.c", 1)
    put(body, "a.d", 2)

    assert body == {"a": {"b": {"c": 1}, "d": 2}}
