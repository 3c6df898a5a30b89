"""Tollgate at work with no key and no internet: a simulated provider, the proxy, and an official SDK."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the simulated provider is the tests' own

from support.processes import running, wait_until  # noqa: E402

MODEL = "gpt-6"
QUESTION = "Say in one sentence what a toll gate does"


def main() -> None:
    console = Console()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        here = Path(folder)
        with console.status("starting a simulated provider and the proxy …"):
            proxy, certs = stack.enter_context(started(here))
        os.environ |= {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "SSL_CERT_FILE": str(certs / "ca-bundle.pem"),
        }
        show(console, here)


@contextmanager
def started(here: Path) -> Iterator[tuple[str, Path]]:
    """The provider and the proxy as processes; gives the proxy's URL and the folder of its authority."""
    ready = here / "ready.json"
    simulator = [sys.executable, ROOT / "tests" / "simulator", "--ready-file", ready]
    with running(simulator, here / "simulator.log") as process:
        process.wait_for("the provider", ready.exists)
        told = json.loads(ready.read_text())
        place = {"address": "127.0.0.1", "port": told["port"], "ca": told["ca"]}
        policy = here / "policy.yaml"
        policy.write_text(json.dumps({"upstream": {"resolve": {"api.openai.com": place}}}))
        port, admin = free_ports(2)
        command = [sys.executable, "-m", "tollgate", "up", "--policy", policy, "--state", here / "state"]
        addresses = [
            "--certs",
            here / "certs",
            "--listen",
            f"127.0.0.1:{port}",
            "--admin",
            f"127.0.0.1:{admin}",
        ]
        with running([*command, *addresses], here / "proxy.log") as tollgate:
            tollgate.wait_for("the proxy", lambda: answers(f"http://127.0.0.1:{admin}/readyz"))
            yield f"http://127.0.0.1:{port}", here / "certs"


def show(console: Console, here: Path) -> None:
    """Two calls that work and one that is refused, and what the trail says of each."""
    import openai  # only now: it reads the environment when it is imported

    client = openai.OpenAI(api_key="sk-of-nobody", max_retries=0)
    console.print(Panel.fit(f"[bold]{QUESTION}[/]", title=f"asked of {MODEL} at api.openai.com"))

    console.print("\n[bold]1[/]  A whole answer")
    whole = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": QUESTION}])
    console.print(whole.choices[0].message.content, style="green")

    console.print("\n[bold]2[/]  A streamed answer, as it comes")
    slowly = {"x-simulate": json.dumps({"gap": 0.08})}
    with client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": QUESTION}], stream=True, extra_headers=slowly
    ) as stream:
        for event in stream:
            console.print(event.choices[0].delta.content or "", style="green", end="")
    console.print()

    console.print(
        "\n[bold]3[/]  A request that says two things at once, so that nobody can tell what it says"
    )
    twice = b'{"model": "gpt-6", "messages": [], "messages": [{"role": "user", "content": "hidden"}]}'
    try:
        client.post("/chat/completions", cast_to=object, content=twice)
    except openai.BadRequestError as error:
        console.print(f"{type(error).__name__}: {error}", style="yellow", highlight=False)

    console.print("\n", records(here), sep="")


ROWS = (
    *("outcome", "status", "code", "tool", "provider", "operation", "dialect", "answered_model", "usage"),
    *("stream", "events", "bytes_in", "bytes_out", "credential_kind", "coverage", "ms"),
)


def records(here: Path) -> Table:
    """What the trail says of the calls, side by side."""
    trail = here / "state" / "trail" / "calls.jsonl"
    wait_until("records", lambda: trail.exists() and trail.read_text().count("\n") >= 3)
    calls: list[dict[str, Any]] = [json.loads(line) for line in trail.read_text().splitlines()]
    table = Table(
        "", "1", "2", "3", title="What the trail says: no prompt, no answer, no key", title_justify="left"
    )
    for name in ROWS:
        table.add_row(f"[dim]{name}[/]", *(written(call.get(name, "")) for call in calls))
    return table


def written(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key} {item}" for key, item in value.items())
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def free_ports(number: int) -> list[int]:
    import socket

    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [s.getsockname()[1] for s in sockets]


def answers(url: str) -> bool:
    try:
        return bool(urlopen(url, timeout=1).status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    main()
