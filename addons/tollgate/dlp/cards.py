"""Payment cards: the numbers that issuers give, with a right check digit.

Presidio's own recognizer finds one in every twentieth float and lacks Mastercard's 2-series, JCB's old
numbers and those with 12 or 19 digits.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from tollgate.dlp.context import Context
from tollgate.dlp.prefilter import Expression
from tollgate.dlp.span import Span
from tollgate.dlp.windows import Reach

ENTITY = "CREDIT_CARD"

# https://en.wikipedia.org/wiki/Payment_card_number#Issuer_identification_number_(IIN)
_USUAL = regex.compile(
    r"4(?:\d{12}|\d{15})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12}|(?:2131|1800)\d{11}"  # JCB
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}"  # Discover
    r"|62\d{14}"  # UnionPay
)
_RARE = regex.compile(
    r"4\d{18}"  # Visa
    r"|62\d{15,17}|81[0-7]\d{13,16}"  # UnionPay
    r"|220[0-4]\d{12,15}"  # Mir
    r"|(?:508[5-9]|60(?:69|7\d|8[0-5])|65[23]\d|82\d\d)\d{12}"  # RuPay
    r"|(?:5018|5020|5038|5893|6304|6390|6759|676[1-3])\d{8,15}"  # Maestro
    r"|9792\d{12}"  # Troy
)
"""Less distinct: without separators these are cards only where a word says so."""
_ANY = regex.compile(r"[2-6]\d{12,18}")
"""What is a card only because a word says so: issuers' numbers change, and test data ignores them."""
_GROUPED = regex.compile(
    r"\d{4}([ .\-])\d{4}\1\d{4}\1(?:\d|\d{4}(?:\1\d{3})?)"  # in fours
    r"|\d{4}([ .\-])\d{6}\2\d{4,5}"  # American Express, Diners Club
    r"|\d{6}([ \-])\d{6,13}"  # after the issuer's number
)
_SEPARATOR = regex.compile(r"[ .\-]")
_BLOCK = regex.compile(r"\d+")
_FOURS_BEFORE = regex.compile(r"\.$|(?<!\d)\d{4}[ \-]$")
_FOURS_BEHIND = regex.compile(r"\.\d|[ \-]\d{4}(?!\d)")
_RUN = regex.compile(r"(?<![A-Za-z0-9_.\-/+])\d+(?:[ .\-]\d+){0,12}(?![A-Za-z0-9_]|\.\d|-[A-Za-z])")
_ID = regex.compile(
    r"(?:\bid|[_\-]id|Id|uid|key|hash|offset|time|stamp|nonce|seed|(?i:\b(?:ean|gtin|upc|imei|isbn|ns|seq)))[\"']?\s*[:=]?\s*[\"']?$"
)
"""What stands before a number that is none of a card, such as "request_id": 16 digits by chance."""
_BRANDS = (
    "visa",
    "mastercard",
    "maestro",
    "amex",
    "american express",
    "discover",
    "diners",
    "jcb",
    "unionpay",
)
_CARD = (
    "card",
    "credit",
    "debit",
    "cc",
    "pan",
    "karte",
    "kreditkarte",
    "carte",
    "tarjeta",
    "carta",
    "cartão",
)
_CONTEXT = Context([*_BRANDS, *_CARD])


class CardJudge:
    """Finds card numbers."""

    gate = Expression(
        r"(?:^|[^A-Za-z0-9./+])\d{12}|\d{4}[ .\-]\d{4}[ .\-]\d{4}[ .\-]\d"
        r"|\d{4}[ .\-]\d{6}[ .\-]\d{4}|\d{6}[ \-]\d{6}"
    )
    reach = Reach()

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold

    def wants(self, key: str) -> bool:
        return False

    def judge(self, text: str, start: int, end: int, key: str) -> Iterator[Span]:
        for match in _RUN.finditer(text, start, end, concurrent=True):
            for first, last in _cards(match.start(), match[0]):
                said = _CONTEXT.within(key) or _CONTEXT.before(text, first)
                score = card_score(text[first:last], said)
                plain = text[first:last].isdigit()  # nobody writes an id in groups of four
                if score >= self._threshold and (said or not plain or not _is_id(text, first, key)):
                    yield Span(first, last, ENTITY, score)


def _is_id(text: str, first: int, key: str) -> bool:
    """Whether the text before a number, or its JSON key, calls it an id."""
    return _ID.search(text[max(0, first - 24) : first]) is not None or _ID.search(key) is not None


def _cards(offset: int, run: str) -> Iterator[tuple[int, int]]:
    """Where in a row of numbers cards may stand: "12 4111 1111 1111 1111 123" has one in its middle."""
    blocks = [match.span() for match in _BLOCK.finditer(run)]
    done = 0
    for n, (start, _) in enumerate(blocks):
        ends = [end for _, end in blocks[n : n + 5] if 12 <= end - start <= 24]
        end = next((end for end in reversed(ends) if _may_be_card(run, start, end)), 0)
        if end and start >= done:
            yield offset + start, offset + end
            done = end


def _may_be_card(run: str, start: int, end: int) -> bool:
    """Whether these blocks are a card's, and neither a part of a decimal nor of a longer row of fours."""
    if _FOURS_BEFORE.search(run, 0, start) or _FOURS_BEHIND.match(run, end):
        return False
    return card_score(run[start:end], said=True) > 0


def card_score(text: str, said: bool) -> float:
    """How sure these digits are a card's number; `said` tells that a word near them says so."""
    digits = _SEPARATOR.sub("", text)
    grouped = digits != text
    if (grouped and not _GROUPED.fullmatch(text)) or len(set(digits)) < 2 or not luhn(digits):
        return 0.0
    if _USUAL.fullmatch(digits):
        return 1.0 if said else 0.8
    if _RARE.fullmatch(digits) and (said or grouped):
        return 0.8
    return 0.5 if said and _ANY.fullmatch(digits) else 0.0


def luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1, annex B)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0
