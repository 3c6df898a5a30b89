"""What must be equal in two questions, however like each other a model finds them. Pure.

Vectors hardly tell "3 pm" from "3 am", "can" from "cannot", or who owes whom: measured on near-miss pairs, no
threshold does. The lists are English. Words of other languages are words like all others, so that "same
words" holds there too.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from tollgate.calls.standins import SHAPE

type Words = Literal["same", "order"]

_NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand "
    "million billion half quarter third double triple twice once first second"
)
_NUMBERS = frozenset(_NUMBER_WORDS.split())
_NEGATIVE_WORDS = "not no never none nothing nobody neither nor without except unless exclude excluding avoid"
_NEGATIONS = frozenset(_NEGATIVE_WORDS.split())
_TIMES = re.compile(
    r"\b(?:now|today|tonight|tomorrow|yesterday|current|currently|latest|newest|recent|recently|nowadays|ago|"
    r"(?:this|next|last|past) (?:hour|day|week|weekend|month|quarter|year))\b"
)
_SHORT_FORMS = (
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\bcannot\b"), "can not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\b(what|who|where|when|how|why|that|it|there|here)'s\b"), r"\1 is"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"\ban\b"), "a"),
)
_DO = "tell|explain|give|show|list|translate|write|help|name|describe|summari[sz]e|define|convert|find"
_COURTESY = re.compile(
    r"(?:hi|hello|hey)(?: there)?[,!.] |"
    rf"(?:(?:can|could|would|will) you (?:please |kindly )?|please |kindly )(?=(?:{_DO})\b)|"
    r"i(?: want| need| would like|'d like) to know |"
    r"do you (?:happen to )?know (?=what|who|where|when|how|why|which)"
)
_CLOSING = re.compile(r", (?:please|thanks|thank you)[.!?]*$")
"""Courtesies only where they can be nothing else: "translate please" and "translate thanks" are two."""
_TOLD = "joke|story|tale|poem|rhyme|riddle|lyrics|song"
_ASKING = re.compile(rf"(?:tell me(?! \w+ (?:{_TOLD})\b)|what is|what are) (?=(?:the|my|our|your) )")
"""Ways to ask about a thing that is known to be there. "What is the ode" and "give me the ode" are two."""
_LITERAL = re.compile(r'"[^"]*"|(?::\s|[\r\n]).*', re.DOTALL)
"""What is quoted, and all that follows a colon or stands on further lines: text that is to be worked on,
perhaps code, where a "the", a short form, a sign at the end or an indentation may be what matters."""
_WORD = re.compile(
    r"(?<!\w)\.\d+|\d+(?:[.,:/-]\d+)*!?|[^\W\d_]+(?:['-][^\W\d_]+)*|"
    r"[!?](?![\"\s]*$)|[.,;:](?=\S)|[^\s\w.,;:!?]"
)
"""Numbers, words, and all signs but the punctuation of prose: brackets, operators, quotes, emoji, and the
vowel signs of Indic scripts."""
_QUOTES = str.maketrans(
    dict.fromkeys("`\u201c\u201d\u201e\u00ab\u00bb", '"') | {"\u2019": "'", "\u2018": "'"}
)
_QUOTED = re.compile(r"(?<!\w)'|'(?!\w)")
_NAME = re.compile(r"[^\W\d_][\w'-]*")


@dataclass(frozen=True, slots=True)
class Marks:
    """What of a question must be equal."""

    numbers: tuple[str, ...]
    negations: int
    names: tuple[str, ...]
    """Words that are written as names are, in lower case, and stand-ins for redacted values, in order."""
    words: tuple[str, ...]
    """All words but "the" and courtesies, in one spelling."""
    literals: tuple[str, ...]
    """Text that is to be worked on, as it stands."""


def marks(text: str) -> Marks:
    plain = unicodedata.normalize("NFC", text).translate(_QUOTES)  # not NFKC: 10² is not 102
    words = _words(plain)
    return Marks(
        numbers=tuple(w for w in words if w.lstrip(".")[:1].isdigit() or w in _NUMBERS),
        negations=sum(word in _NEGATIONS for word in words),
        names=_names(plain),
        words=words,
        literals=tuple(_LITERAL.findall(_QUOTED.sub('"', plain.strip()))),
    )


def depends_on_time(text: str) -> bool:
    """True for a question whose answer is another one tomorrow."""
    return _TIMES.search(" ".join(text.lower().split())) is not None


def differ(one: Marks, other: Marks, words: Words) -> str:
    """Which guard tells two questions apart; empty where they may have one answer."""
    return next((name for name, same in _GUARDS[words].items() if not same(one, other)), "")


def _words(plain: str) -> tuple[str, ...]:
    lower = _QUOTED.sub('"', " ".join(plain.lower().split()))
    for pattern, long in _SHORT_FORMS:
        lower = pattern.sub(long, lower)
    lower = _CLOSING.sub("", lower)
    while (shorter := _COURTESY.sub("", lower, count=1) if _COURTESY.match(lower) else lower) != lower:
        lower = shorter
    if asking := _ASKING.match(lower):
        lower = lower[asking.end() :]
    return tuple(word for word in _WORD.findall(lower) if word != "the")


def _names(plain: str) -> tuple[str, ...]:
    """Words with a capital letter but at the beginning of a sentence, where every word has one."""
    found = []
    for word in _NAME.finditer(plain):
        inside = any(letter.isupper() for letter in word[0][1:])
        before = plain[: word.start()].rstrip().rstrip("\"'(").rstrip()
        begins = not before or before[-1] in ".!?:"
        if (
            SHAPE.fullmatch(word[0])
            or inside
            or (word[0][0].isupper() and not begins and not _is_i(plain, word))
        ):
            found.append(word[0].lower())
    return tuple(found)


def _is_i(plain: str, word: re.Match[str]) -> bool:
    """True for the person, not for the option -I."""
    return word[0] == "I" and plain[word.start() - 1 : word.start()].isspace()


def _same_order(one: Marks, other: Marks) -> bool:
    """True where the words that both have stand in the same order in both."""
    shared = Counter(one.words) & Counter(other.words)
    once = {word for word in shared if one.words.count(word) == other.words.count(word) == 1}
    return [w for w in one.words if w in once] == [w for w in other.words if w in once]


type Guard = Callable[[Marks, Marks], bool]

_ALWAYS: Mapping[str, Guard] = {
    "numbers": lambda one, other: one.numbers == other.numbers,
    "negation": lambda one, other: one.negations == other.negations,
    "names": lambda one, other: one.names == other.names,
    "literals": lambda one, other: one.literals == other.literals,
}
_GUARDS: Mapping[Words, Mapping[str, Guard]] = {
    "same": {**_ALWAYS, "words": lambda one, other: one.words == other.words},
    "order": {**_ALWAYS, "order": _same_order},
}
