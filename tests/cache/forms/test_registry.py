"""Every chat dialect has a form, or is left alone on purpose."""

from tollgate.cache.forms import FORMS
from tollgate.dialects.registry import DIALECTS

WITHOUT = {"generic", "gemini-interactions", "openai-embeddings"}


def test_every_dialect_has_a_form_or_a_reason_to_have_none() -> None:
    assert {name for name, _ in DIALECTS} == set(FORMS) | WITHOUT
