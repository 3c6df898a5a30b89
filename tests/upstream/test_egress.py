from __future__ import annotations

import pytest

from tollgate.policy import Upstream
from tollgate.upstream.egress import egress_of


def test_without_a_proxy_requests_go_straight() -> None:
    egress = egress_of(Upstream())

    assert (egress.url, egress.headers, egress.name) == (None, {}, "")


def test_a_proxy_without_a_user_is_told_nothing() -> None:
    egress = egress_of(Upstream(proxy="http://proxy.corp.example:3128"))

    assert egress.headers == {}
    assert egress.name == "proxy.corp.example:3128"


def test_the_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_PASSWORD", "open:sesame")
    settings = Upstream(proxy="http://p:3128", proxy_user="tollgate", proxy_password_env="PROXY_PASSWORD")

    assert egress_of(settings).headers == {"Proxy-Authorization": "Basic dG9sbGdhdGU6b3BlbjpzZXNhbWU="}


def test_a_user_may_have_no_password() -> None:
    settings = Upstream(proxy="http://p:3128", proxy_user="tollgate")

    assert egress_of(settings).headers == {"Proxy-Authorization": "Basic dG9sbGdhdGU6"}


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROXY_PASSWORD", raising=False)
    settings = Upstream(proxy="http://p:3128", proxy_user="tollgate", proxy_password_env="PROXY_PASSWORD")

    with pytest.raises(ValueError, match=r"upstream\.proxy_password_env: .* PROXY_PASSWORD is not set"):
        egress_of(settings)


def test_no_password_is_ever_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_PASSWORD", "sesame")
    settings = Upstream(proxy="http://p:3128", proxy_user="tollgate", proxy_password_env="PROXY_PASSWORD")

    assert "Basic" not in repr(egress_of(settings))
