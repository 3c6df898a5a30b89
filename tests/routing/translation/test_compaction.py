from tollgate.routing.translation import compaction


def test_a_summary_comes_back_in_words() -> None:
    item = compaction.item("it: was\nünfinished", "chatcmpl-1")

    assert (item["id"], item["type"]) == ("cmp_1", "compaction")
    assert compaction.words(item).endswith("\n\nit: was\nünfinished")


def test_a_summary_of_the_provider_says_nothing() -> None:
    assert compaction.words({"type": "compaction", "encrypted_content": "gAAAA"}) == ""
    assert compaction.words({"type": "compaction"}) == ""


def test_who_asks_for_one() -> None:
    assert compaction.is_wanted({"input": [{"role": "user"}, {"type": "compaction_trigger"}]})
    assert not compaction.is_wanted({"input": [{"type": "compaction"}]})
    assert not compaction.is_wanted({"input": "compaction_trigger"})
