"""A call that differs from those of recorded_calls.py, and an exit code of its own."""

from __future__ import annotations

import sys

import openai
import openai_calls
from recorded_calls import PLANTED
from report import report

MESSAGES = [{"role": "user", "content": PLANTED.replace("Jane", "John").replace("jane", "john")}]


def refused() -> list[str]:
    try:
        openai_calls.client.chat.completions.create(model=openai_calls.CHAT_MODEL, messages=MESSAGES)
    except openai.BadRequestError as e:
        return [e.message]
    return []


if __name__ == "__main__":
    report({"unrecorded": refused})
    sys.exit(3)
