"""What is looked for unless a policy says more: what serves for prompts, code and logs.

In source code, Presidio's own choice finds a URL in every `flow.re`, a phone number in most epochs and a card
in every twentieth float. What is not here is switched on by name (`entities`) or country (`countries`).
"""

from __future__ import annotations

from typing import NamedTuple

from tollgate.dlp.prefilter import Expression
from tollgate.dlp.windows import Reach


class Row(NamedTuple):
    """One entity of the profile, or one that is treated in a special way."""

    entity: str
    on: bool = True
    """Whether it is looked for without being asked for."""
    needs_context: bool = False
    """Whether a word near it has to say what it is, whatever its checksum says."""
    gate: Expression | None = None
    """In place of Presidio's pattern for the prefilter, where that one matches too much, or too often: at
    each length that a value may have."""
    reach: Reach | None = None
    """How far around that gate it has to be looked."""
    lead: str = ""
    """A pattern for what a match may begin with and is no part of the value."""
    rest: str = ""
    """A pattern for what a match may end with and is no part of the value: it is tried without that, too."""
    never_after: str = ""
    """A pattern for what stands before a match that is something else."""
    never_before: str = ""
    """The same for what stands behind it."""
    never: str = ""
    """The same for the whole match."""
    valid: str = ""
    """A pattern for values that Presidio's check lets pass, which takes longer to say so."""


_BASE58 = "[1-9A-HJ-NP-Za-km-z]"

ROWS = (
    Row(
        "EMAIL_ADDRESS",
        gate=Expression(r"[\w!#$%&'*+/=?^`{|}~-]@\w"),
        lead=r".*[!#$%&'*/=?^`{|}~](?=[^@])",  # legal in an address, but "email=bob@…" is what people write
        rest=r"_.*|(?<=\.[a-z]{2,12})\.[A-Z][a-z]*"  # a file's name, and the next sentence
        r"|\.(?i:csv|docx?|eml|html?|jpe?g|json|log|md|msg|pdf|png|txt|vcf|xlsx?|xml|ya?ml)",
        never_after=r"://[^\s/@]{0,128}",  # a password in a URL
        never=r"git@.*",  # how everybody clones
    ),
    Row(
        "IBAN_CODE",  # its gate names the countries: see `presidio`
        reach=Reach(back=20, ahead=60, to_space=40),
    ),
    Row(
        "IP_ADDRESS",
        never_after=r"\d\.|[<>~]=\s?|[\w\]](?<!ip|addr|host|src|dst)==|\^|\.so\.|§\s?"
        r"|(?i:\b(?:v|ver\.?|release|firmware|driver)[\s:=]{0,2}|(?<![a-z])version[\s:=(>\"']{0,4}|\b(?:section|chapter|clause)\s)v?"
        r"|[a-z]Version[\s:=(\"']{0,4}",  # but no conversion
        never_before=r"\.\d"  # an OID, a section
        r"|\.(?:tar|zip|t?gz|whl|jar|deb|rpm|exe|msi|dll|nupkg|dmg)\b|-(?:alpha|beta|rc|dev|snapshot)(?![a-z])",
        never=r"[a-fA-F]{0,4}::[a-fA-F]{0,4}|\d{0,3}::\d{0,2}"  # names of C++, slices of Python
        r"|2\.5\.(?:4|29)\.\d+",  # attributes of certificates
        valid=r"(?:(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])(?:\.(?!$)|$)){4}",
    ),
    Row(  # but no fingerprint, of which it could be a part
        "MAC_ADDRESS",
        never_after=r"(?i:[0-9a-f]{2}[:-]){2}\s{0,30}",
        never_before=r"(?i)(?:[:-]\s{0,30}[0-9a-f]{2}){2}",
    ),
    Row(  # its check takes these alphabets only, of all that follows: base58, and bech32 in lower case
        "CRYPTO",
        gate=Expression(rf"bc1[a-z0-9]{{25}}|[13](?:{_BASE58}{{59}}|{_BASE58}{{25,58}}(?:[^0-9A-Za-z]|$))"),
    ),
    Row("US_SSN", never_after=r"\d[-.]|\+", never_before=r"[-.]\d"),
    Row("US_ITIN"),
    Row("US_BANK_NUMBER", needs_context=True),
    Row("US_DRIVER_LICENSE", needs_context=True),
    Row("US_PASSPORT", needs_context=True),
    Row("UK_NHS", needs_context=True),  # one 10-digit number in eleven has its checksum
    Row("MEDICAL_LICENSE", needs_context=True),
    Row("SE_PERSONNUMMER", on=False, needs_context=True),
    Row("SE_ORGANISATIONSNUMMER", on=False, needs_context=True),
    Row("PH_UMID", on=False, needs_context=True),
)

BY_ENTITY = {row.entity: row for row in ROWS}
# https://www.swift.com/standards/data-standards/iban-international-bank-account-number
IBANS = (
    *(
        "AZ4a20c",
        "BI23n",
        "DJ23n",
        "DO4c20n",
        "FK2a12n",
        "HN4a20n",
        "JO4a4n18c",
        "LC4a24c",
        "MN16n",
        "NI4a20n",
    ),
    *("OM3n16c", "PK4a16c", "PS4a21c", "RU14n15c", "SD14n", "SO19n", "ST21n", "SV4a20n", "YE4a4n18c"),
)
"""What Presidio lacks or has otherwise: a country, and as the registry has it what follows the check digits
there: so many digits (n), letters (a), or both (c)."""
OWN = ("CREDIT_CARD", "PHONE_NUMBER")
"""Found by recognizers of our own, in place of Presidio's."""
THRESHOLD = 0.4
"""The least score, where a policy names none."""


class OwnPattern(NamedTuple):
    """A pattern beside Presidio's for one of its entities."""

    entity: str
    regex: str
    score: float


PATTERNS = (
    # Presidio believes a domain only if the public suffix list knows it: not bob@mail.corp.
    OwnPattern(
        "EMAIL_ADDRESS",
        r"(?<![\w.+-])[\w+-][\w.+-]{0,63}@(?:[\w-]{1,63}\.){1,8}"
        r"(?:corp|home|internal|intra|intranet|lan|local|localdomain|private)(?![\w-])",
        0.5,
    ),
)
