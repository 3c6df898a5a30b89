"""Trees of JSON, and a shape for some."""

from __future__ import annotations

from hypothesis import strategies as st

SHAPE = {
    "model": "skip",
    "messages": {
        "role": "skip",
        "content": {"type": "skip", "data": "blob"},
        "tool_calls": {"id": "skip", "function": {"arguments": "json"}},
    },
    "metadata": {"*": "text"},
    "secret": "skip",
}

texts = st.text(st.characters(exclude_categories=["Cs"]))
trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
