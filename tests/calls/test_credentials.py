"""Where credentials travel."""

from tollgate.calls.credentials import KEY_HEADERS, SECRET_HEADERS, SECRET_PARAMETERS


def test_names_are_in_lower_case() -> None:
    assert all(name == name.lower() for name in SECRET_HEADERS | SECRET_PARAMETERS)
    assert set(KEY_HEADERS) < SECRET_HEADERS
