import pytest

from tollgate.routing.translation.loss import Loss, Losses
from tollgate.routing.translation.media import (
    as_text,
    as_url,
    decoded,
    kind_of,
    left_out,
    of_url,
    short_name,
    type_of_name,
)
from tollgate.routing.translation.neutral import Media, Text


def test_a_data_url_is_taken_apart_and_put_together() -> None:
    image = of_url("data:image/png;base64,AAAA", "image", "here")

    assert image == Media("image", "image/png", data="AAAA")
    assert as_url(image) == "data:image/png;base64,AAAA"
    assert as_url(Media("document", data="AA")) == "data:application/octet-stream;base64,AA"
    assert of_url("data:;charset=utf-8;base64,AA", "document", "").type == "text/plain"
    assert of_url("data:IMAGE/JPG;base64,AA", "image", "").type == "image/jpeg"
    assert (decoded("aMOk"), decoded("a")) == ("hä", "a")


def test_another_url_is_kept_and_never_fetched() -> None:
    image = of_url("https://example.com/a.webp?x=1", "image", "here")

    assert (image.url, image.type, image.data) == ("https://example.com/a.webp?x=1", "image/webp", "")
    assert as_url(image) == image.url


@pytest.mark.parametrize(
    ("type", "name"),
    [
        ("image/jpeg", "jpeg"),
        ("application/pdf", "pdf"),
        ("audio/wav", "wav"),
        ("text/plain; charset=x", "txt"),
        ("", ""),
        ("x/unknown", ""),
    ],
)
def test_short_names_of_formats(type: str, name: str) -> None:
    assert short_name(type) == name


def test_types_by_name_and_kinds_by_type() -> None:
    assert [type_of_name(name) for name in ("a.pdf", "png", "b.unknown", "c.md")] == [
        "application/pdf",
        "image/png",
        "",
        "text/markdown",
    ]
    assert [kind_of(type) for type in ("image/png", "audio/wav", "video/mp4", "text/csv", "")] == [
        "image",
        "audio",
        "video",
        "document",
        "document",
    ]


def test_what_is_left_out_is_told_to_the_model_and_noted() -> None:
    losses = Losses()
    text = left_out(Media("audio", where="m[0]"), losses, "in this form")

    assert text.text == "[audio left out: it cannot be given to this model]"
    assert losses == [Loss("audio in this form", "m[0]")]


def test_a_plain_document_can_be_text() -> None:
    assert as_text(Media("document", text="hello", name="a.txt")) == Text("a.txt\nhello")
    assert as_text(Media("document", text="hello")) == Text("hello")
    assert as_text(Media("document", data="AA")) is None
