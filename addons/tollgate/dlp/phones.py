"""Phone numbers of the world, told from the many other numbers that look like them.

Presidio's recognizer takes four in five epoch seconds for phone numbers and is the slowest of all. Here one
counts for one of three reasons: it is written as international numbers are; it is valid in a region and
written as there; or the nearest telling word around it says phone, and not card or order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import phonenumbers
import regex

from tollgate.dlp.context import words
from tollgate.dlp.prefilter import Expression
from tollgate.dlp.span import Span
from tollgate.dlp.windows import Reach
from tollgate.policy import Unfit

ENTITY = "PHONE_NUMBER"

_PHONE = (
    r"(?:tele|smart|cell|mobile|home|work|i)?phone(?:s|num(?:ber)?s?|n[or])?|tel(?:num|n[or])?|t[eé]l[eé]phone|telefon[eo]?|telefoon|telefonnummer|rufnummer"
    r"|handy(?:nummer)?|mobile(?:s|num(?:ber)?|n[or])?|mobil|móvil|mobiel|portable|cell|celular|cellulare|cellulaire|landline|hotline"
    r"|helpline|voicemail|fax|telefax|pager|msisdn|fax(?:num(?:ber)?|n[or])|whatsapp|telegram|viber|imessage|sms|desk|extension"
    r"|contact[os]?|kontakt|(?:my|his|her|your|our|their|whose|work|home) number"
    r"|тел|телефон|моб|電話|电话|手机|手機|전화|هاتف|טלפון"
)
"""Names of phone numbers."""
_VERBS = (
    r"(?:call(?:ing)?|dial(?:l?ing)?|text(?:ing)?|ring(?:ing)?|sms|reach|contact|message|telefoniert?|anruf(?:en)?"
    r"|ruf|appel(?:er|ez)|ll[aá]m(?:ar|e|a|en|ame)|ligue|ligar|chiam(?:are|a|i)|bel(?:len)?"
    r"|(?:call|dial|text|reach|contact)(?:l?ed)(?=\W+[a-z]))"
)
_CALL = (
    rf"{_VERBS}(?:\W+(?:me|us|him|her|them|you|back|at|on|from|to|now|up|via|the|this|is|our|my|your|number|line"
    r"|office|home|moi|unter|an|au|al|op|em|anytime|directly|either|or|please|today|tomorrow|toll|free)){0,5}\W{0,4}\n?$"
)
"""What one does with a phone number. It counts where the number follows at once: `match` looks backwards."""
_OTHER = (
    r"card|credit|debit|visa|mastercard|amex|cvv|account|acct|iban|bic|swift|routing|sort code|ssn"
    r"|social security|passport|licen[cs]e|permit|ids?|uuid|guid|vat|tin|ein|itin|nhs|npi|zip|zipcode"
    r"|postcode|postal|plz|invoice|order|ticket|issue|pr|serial|sku|isbn|issn|doi|model|version|build|commit|revision"
    r"|port|lines?|rows?|pages?|pid|flight|dated?|time|timestamp|epoch|born|birth|dob|size|length|bytes|offset"
    r"|count|total|sum|amount|price|cost|balance|usd|eur|gbp|lat|lon|lng|latitude|longitude|coordinates|range"
    r"|hash|digest|checksum|ip|score|case|frames?|rev|ean|gtin|upc|imei|barcode|tracking"
)
"""Names of other numbers."""
_TELLING = regex.compile(
    rf"(?<![^\W\d_])(?:(?P<phone>{_PHONE})|(?P<other>{_OTHER}))(?![^\W\d_])", regex.IGNORECASE
)
_CAMEL = (
    r"[a-z](?:Phone|Telephone|Tel|Mobile|Cell|Fax)s?(?![a-z])"
    r"|(?<![A-Za-z])(?:[Pp]hone|[Mm]obile|[Tt]el|[Cc]ell|[Ff]ax)[A-Z]"
)
"""The same where several words are written as one: customerPhone, mobileNo."""
_IN_CAMEL = regex.compile(_CAMEL)
_TOGETHER = regex.compile(
    r"(?:(?<![^\W\d_])(?:my|his|her|your|our|their|whose|contact|work|home|social|sort) )*[^\W\d_]++",
    regex.IGNORECASE | regex.REVERSE,
)
"""A word, with those before it that may make a telling one of it; the last one first."""
_CALLING = regex.compile(rf"(?<![^\W\d_]){_CALL}", regex.IGNORECASE | regex.REVERSE)
_BEHIND = (
    r"\W{1,3}(?:(?:is|was) (?:my|his|her|our|their|the) (?:\w+ )?(?:number|phone|cell|mobile)"
    r"|(?:office|mobile|cell|fax|phone|tel|home|work|desk|direct|landline|main"
    r"|mobil|handy|privat|b[uü]ro|m[oó]vil|celular|cellulare|portable|bureau|casa|mobiel)\b)"
)
_AFTER = regex.compile(_BEHIND, regex.IGNORECASE)
_WIDTH = 80
"""How far before a number telling words are looked for, in characters."""

_NUMBER = regex.compile(
    r"(?<![A-Za-z0-9_#$€£%\\/@&^~]|[A-Za-z0-9_][.\-+]|\d:|[\w)\]][ ]?\*)"
    r"(?P<number>(?P<plus>\+\s?|00(?=[1-9])|011[ \-](?=[1-9]))?"
    r"(?:\(\+?\d{1,5}\)|\d++)"  # never taken apart again: a float would be, in thousands of ways
    r"(?:(?![ ]-\d)(?>[ \t\u00a0\u2009\u202f]?[\-.\u2010-\u2013/]?[ \t\u00a0]?)(?:\(\d{1,5}\)|\d++)){0,7})"
    r"(?P<extension>[ ,]{0,2}(?:x|ext\.?|extension)[ ]?\d{1,6})?"
    r"(?![A-Za-z0-9_@%]|[.:/\-]\d|-[A-Za-z]|[ ]?[:=]\d)",
    regex.IGNORECASE,
)
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_DATE = regex.compile(
    rf"(?<!\d)(?:19|20)\d\d([\-./ ]?){_MONTH}\1{_DAY}(?![\d./])"
    rf"|(?<![\d\-./])(?:{_DAY}([\-./]){_MONTH}\2|{_MONTH}([\-./]){_DAY}\3)(?:19|20)?\d\d(?![\d\-./])"
)
_TIME = regex.compile(r"(?<!\d)(?:19|20)\d\d-[01]\d-[0-3]\d(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d)?)?(?!\d)")
_ADDRESS = regex.compile(r"(?:(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])(?:\.(?!$)|$)){4}")
_OTHERWISE = regex.compile(
    r"\d{3}[-. ]\d{2}[-. ]\d{4}|\d{5}-\d{4}|97[89][- ]?(?:\d[- ]?){9}\d|(?:0|[1-9]\d*)\.\d+"
    r"|(?:\d{4}([ -])){2,}\d{4}"
    r"|\d(?:[ \-]\d){3,}|20\d{6}[\- ]?\d{6}"
)
"""Written as social security numbers, postal codes, books (ISBN), decimals, cards and dumps are."""
_SHAPES = regex.compile(
    r"(?:1[ .\-]?)?[2-9]\d\d[ .\-]{1,3}[2-9]\d\d[ .\-]\d{4}"  # North America
    r"|(?:1[ .\-]?)?\(\d{3}\)[ .\-]{0,2}\d{3}[ .\-]\d{4}"
    r"|(?:(?:00)?1[.\-])?\d{3}([.\-])\d{3}\1\d{4}"  # in plans of test data any area will do
    r"|\(0?\d{1,4}\)[ \-]?\d{3,4}[ \-]\d{3,4}"  # an area code in parentheses
    r"|0[1-9]\d{0,3}[ .\-/](?:\d{2,4}[ .\-]){1,3}\d{2,4}"  # a trunk prefix
)
"""Written as hardly anything but phone numbers is."""


_BLANKS = regex.compile(r"[\d ]+")
"""Written as columns of figures may be, too."""
_ONE_BLOCK = regex.compile(r"0[1-9]\d{8,9}|[2-9]\d\d-\d{7}")
"""A trunk prefix and all digits at once, or an area code before them: few other numbers begin with a zero."""
_IN_ORDER = "123456789"
_WITH_AREA = regex.compile(r"\(0[1-9]\d*\)|0[1-9]\d*[\-/]")
"""Begins with an area code that is set apart."""
_FEWEST = 6
"""Digits of a number."""
_BEFORE_COMMA, _AFTER_COMMA = regex.compile(r"\w,$"), regex.compile(r",\d")
_BLOCK = regex.compile(r"\d+")
_ABROAD = regex.compile(r"^\(?(?:\+\s?|00|011[ \-])")
"""What stands before a country's code."""


_SEPARATOR = r"[ \t\-.()/\x80]"
"""What stands between the blocks of a number, up to four of it; foreign dashes are folded to \x80."""


def _digits(count: int) -> str:
    """So many digits, in blocks or not."""
    return rf"{_SEPARATOR}{{0,4}}".join([r"\d"] * count)


_SIX = _digits(6)
_TOLD_GATE = (
    rf"(?:^|[^A-Za-z])(?:{_PHONE}|{_VERBS})(?:[^A-Za-z][\s\S]{{0,{_WIDTH}}}?)?{_SIX}|{_SIX}{_BEHIND}"
    rf"|(?-i:{_CAMEL})[\s\S]{{0,{_WIDTH}}}?{_SIX}"
)
"""Six digits beside a telling word."""
_NO_DATE = r"-(?:\d{3}|\d{1,2}[ \t.()/\x80]|\d-|[2-9]\d-|\d\d-(?:\d{3}|[4-9]\d))"
"""What follows a year that is none."""
_FIRST_BLOCKS = (
    rf"\d(?:[ \t\-()/\x80]|\.{_SEPARATOR}){_SEPARATOR}{{0,3}}{_digits(8)}",
    *(rf"\d\.\d{{{size}}}{_SEPARATOR}{{1,4}}{_digits(8 - size)}" for size in range(1, 8)),
    *(rf"\d{{{size}}}{_SEPARATOR}{{1,4}}{_digits(9 - size)}" for size in (2, 3, 5, 6, 7, 8)),
    rf"(?:[03-9]\d|1[0-8]|2[1-9])\d\d{_SEPARATOR}{{1,4}}{_digits(5)}",
    rf"(?:19|20)\d\d(?:[ \t.()/\x80]{_SEPARATOR}{{0,3}}{_digits(5)}|{_NO_DATE})",
    rf"\d{{9}}\d*{_SEPARATOR}{{1,4}}\d",
)
"""Nine digits in blocks, by the size of the first. Most numbers have one block, or are floats or dates."""
_BARE_GATE = (
    rf"\+ ?{_SIX}|(?:^|[^0-9])(?:{'|'.join(_FIRST_BLOCKS)})"
    r"|(?:^|[^0-9][\-.]|[^0-9\-./])0[1-9]\d{0,6}[)\-/]{1,2} ?\d"
    r"|(?:^|[^A-Za-z0-9.])0[1-9]\d{8,9}(?:$|[^A-Za-z0-9])"
)
"""What may be a number without such a word: after "+", with nine digits, or with an area code set apart."""


class _Candidate(NamedTuple):
    text: str
    plus: bool
    blocks: Sequence[str]
    """Its runs of digits, without an extension."""

    @property
    def digits(self) -> str:
        return "".join(self.blocks)

    @property
    def is_long(self) -> bool:
        return sum(map(len, self.blocks)) >= 9

    @property
    def is_grouped(self) -> bool:
        """Whether it is written as numbers are that need no word, and no plus."""
        if len(self.blocks) > 1 and (self.is_long or _WITH_AREA.match(self.text)):
            return True
        return self.in_one_block

    @property
    def in_one_block(self) -> bool:
        return _ONE_BLOCK.fullmatch(self.text) is not None and _IN_ORDER not in self.text


def check_regions(regions: Sequence[str]) -> None:
    """Unfit for a region that there is not."""
    for n, region in enumerate(regions):
        if region not in phonenumbers.SUPPORTED_REGIONS:
            message = f"there are no phone numbers of a region {region!r}: use ISO 3166 codes such as GB"
            raise Unfit(("detection", "phone_regions", n), message)


def phone_judges(regions: Sequence[str], threshold: float) -> list[PhoneJudge]:
    """Those who find phone numbers: beside telling words, and on their own."""
    return [PhoneJudge(regions, threshold, told=told) for told in (True, False)]


class PhoneJudge:
    """Finds phone numbers. `regions` are ISO 3166 codes; `told`, where a word near them may say so."""

    reach = Reach(back=60, ahead=40, to_space=60)

    def __init__(self, regions: Sequence[str], threshold: float, *, told: bool = True) -> None:
        phonenumbers.PhoneMetadata.load_all()  # else the first number of each country reads its file
        self._regions = regions
        self._threshold = threshold
        self._may_be_told = told
        self.gate = Expression(_TOLD_GATE if told else _BARE_GATE, regex.IGNORECASE)

    def wants(self, key: str) -> bool:
        return self._may_be_told and _told(" ".join(words(key))) is True

    def judge(self, text: str, start: int, end: int, key: str) -> Iterator[Span]:
        for match in _NUMBER.finditer(_without_times(text[start:end]), concurrent=True):
            first, last = start + match.start(), start + match.end()
            candidate = _candidate(match)
            if candidate and self._is_promising(candidate):
                context = _context(text, first, last, key)
                score = self._score(candidate, context)
                if score >= self._threshold and _stands_free(text, first, last, context):
                    yield Span(first, last, ENTITY, score)

    def _is_promising(self, candidate: _Candidate) -> bool:
        """Whether it may be one. Most numbers are none, and to read the words around them takes long."""
        if not (self._may_be_told or candidate.plus or candidate.is_grouped):
            return False
        return not _is_written_otherwise(candidate.text)

    def _score(self, candidate: _Candidate, context: bool | None) -> float:
        """How sure it is; `context` tells whether words around it say phone, something else, or nothing."""
        if candidate.plus and (score := _score_international(candidate, context)):
            return score
        if context:
            return 0.75 if len(candidate.digits) >= 7 or len(candidate.blocks) > 1 else 0.0
        if not candidate.is_grouped:
            return 0.0
        if candidate.is_long and _SHAPES.fullmatch(candidate.text):
            return 0.0 if context is False and _BLANKS.fullmatch(candidate.text) else 0.6
        return 0.5 if context is None and self._is_national(candidate) else 0.0

    def _is_national(self, candidate: _Candidate) -> bool:
        """Whether a region has this number and writes it in these blocks."""
        if candidate.text.count("/") > 1:
            return False
        parsed = self._parsed(candidate)
        return any(candidate.in_one_block or _grouped_as(candidate, number) for number in parsed)

    def _parsed(self, candidate: _Candidate) -> Iterator[Any]:
        for region in self._regions:
            try:
                number = phonenumbers.parse(candidate.text, region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                yield number


def _without_times(text: str) -> str:
    """The text with its time stamps blotted out: listings and logs are full of them."""
    blotted: str = _TIME.sub(lambda match: "x" * len(match[0]), text)
    return blotted


def _candidate(match: Any) -> _Candidate | None:
    """What may be a phone number; None where it has too few digits, or stray ones."""
    text = match["number"]
    if len(text) < _FEWEST:
        return None
    plus = match["plus"] is not None or text.startswith("(+")
    blocks = _BLOCK.findall(text)
    if not _FEWEST <= sum(map(len, blocks)) <= (16 if plus else 14) or text.count("(") != text.count(")"):
        return None
    if not plus and min(map(len, blocks[1:]), default=2) < 2:
        return None
    return _Candidate(text, plus, blocks)


def _is_written_otherwise(text: str) -> bool:
    if text.startswith(("+", "(+")):
        return False
    return bool(_DATE.search(text) or _ADDRESS.fullmatch(text) or _OTHERWISE.fullmatch(text))


def _context(text: str, first: int, last: int, key: str) -> bool | None:
    """Whether the words around a number say phone (True), something else (False), or nothing (None)."""
    before = text[max(0, first - _WIDTH) : first]
    if _CALLING.match(before) or _AFTER.match(text, last):
        return True
    told = _told(before)
    return told if told is not None else _told(" ".join(words(key)))


def _stands_free(text: str, first: int, last: int, context: bool | None) -> bool:
    """False for a number in brackets, as those of arrays are, or right behind another's name."""
    before, behind = text[first - 1 : first], text[last : last + 2]
    if context is not True and text[first] != "+" and _is_in_row(text, first, last):
        return False
    if before == "[" or behind[:1] == "]":
        return before == "[" and behind == "]("  # the text of a link in Markdown
    return before not in ("=", ":") or context is True


def _is_in_row(text: str, first: int, last: int) -> bool:
    """Whether a comma without a blank ties it to other figures or words, as in "1,234567"."""
    before = _BEFORE_COMMA.search(text, max(0, first - 2), first)
    return before is not None or _AFTER_COMMA.match(text, last) is not None


def _told(text: str) -> bool | None:
    """What the last telling word says."""
    said = (_says(match[0]) for match in _TOGETHER.finditer(text))
    return next((says for says in said if says is not None), None)


@lru_cache(maxsize=8192)
def _says(word: str) -> bool | None:
    """What a word says, or the last one of several: the same few stand before most numbers."""
    if _IN_CAMEL.search(word):
        return True
    told = [match["phone"] is not None for match in _TELLING.finditer(word)]
    return told[-1] if told else None


def _score_international(candidate: _Candidate, context: bool | None) -> float:
    digits = _ABROAD.sub("", candidate.text.replace("(0)", ""))
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return 0.0
    if phonenumbers.is_valid_number(number) and (context or _is_abroad(candidate)):
        return 1.0 if context else 0.8
    possible = len(candidate.digits) >= 8 and phonenumbers.is_possible_number(number)
    return 0.6 if possible and (context or len(candidate.blocks) > 2) else 0.0


def _is_abroad(candidate: _Candidate) -> bool:
    """Whether it begins as no row of numbers does by chance; dumps hold many that begin with 00."""
    return candidate.text.startswith(("+", "(+")) or len(set(map(len, candidate.blocks))) > 1


def _grouped_as(candidate: _Candidate, number: Any) -> bool:
    """Whether these are the blocks in which a number is written in its region."""
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return bool(_BLOCK.findall(written) == list(candidate.blocks))
