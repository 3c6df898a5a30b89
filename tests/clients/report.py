"""What a client got, as lines of JSON that can be compared."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

type Call = Callable[[], Iterable[Any]]
"""Makes one request; gives all that the client was told, piece by piece."""

PROMPT = 'Zażółć the 3 "ducks" \\ and 🦆'
"""Text that is easy to damage."""
TOOL_PROMPT = "Please get_weather and get_time for Łódź"
"""Names both tools, so that the simulated provider calls both."""
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
TOOLS = {"get_weather": "What the weather is.", "get_time": "What time it is."}
TIMEOUT = 20.0


def report(calls: Mapping[str, Call]) -> None:
    """One line for each call, in order."""
    for name, call in calls.items():
        line = {"call": name, "events": [plain(event) for event in call()]}
        print(json.dumps(line, sort_keys=True), file=sys.stdout, flush=True)


def plain(value: Any) -> Any:
    """What a client gave, as JSON."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", warnings=False)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
