"""What is looked for in calls, and what is done with what is found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tollgate.policy.fields import File, Patterns, Regex, Size
from tollgate.policy.part import Part

type Action = Literal["replace", "mask", "hash", "redact", "encrypt", "block", "report", "ignore"]

# -- what is looked for: set once for all ----------------------------------------------------------------


class Pattern(Part):
    """An entity of your own."""

    name: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    """The entity's name: EMPLOYEE_ID."""
    regex: Regex | None = None
    """A Python regular expression; or else `words`."""
    words: list[str] = Field(default_factory=list)
    """Words that are found as they stand, as whole words: project names, customers."""
    score: float = Field(default=0.8, ge=0.0, le=1.0)
    """How sure a match is. Below the entity's threshold it needs a context word."""
    context: list[str] = Field(default_factory=list)
    """Words near a match that make it surer by 0.35."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if bool(self.regex) == bool(self.words):
            raise ValueError("a pattern has either a regex or words")
        return self


class Allowed(Part):
    """What is never a finding."""

    values: list[str] = [
        "AKIAIOSFODNN7EXAMPLE",  # of AWS's documentation
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "127.0.0.1",  # this machine, whichever it is
        "0.0.0.0",  # noqa: S104 (nothing listens here)
        "::1",
    ]
    """Exact values."""
    regexes: list[Regex] = Field(default_factory=list)
    """Regular expressions that have to match a whole value."""
    domains: Patterns = [
        "example.com",
        "example.org",
        "example.net",
        "*.example",
        "*.test",
        "*.invalid",
        "localhost",
    ]
    """Domains of e-mail addresses and URLs."""


class Secrets(Part):
    """Keys, tokens and passwords."""

    confidence: Literal["low", "medium", "high"] = "medium"
    """The least confidence that a rule claims for itself."""
    assignments: bool = True
    """Also what is assigned to a name such as password, token or secret."""
    rules: list[File] = Field(default_factory=list)
    """Rule files of your own, in the TOML format of gitleaks and betterleaks."""
    without: list[str] = []
    """Rules to leave out, by id."""


class KnownValues(Part):
    """Values that are secret because of where they stand. They are kept as keyed digests only."""

    environment: list[str] = []
    """Names of environment variables of the proxy whose values are secret: "*_TOKEN"."""
    files: list[File] = Field(default_factory=list)
    """.env files (each value is secret) and other files (the whole content is)."""
    min_length: int = Field(default=8, ge=4)
    """Shorter values are not looked for."""


class Ner(Part):
    """Names, organisations and places, by a language model of your own. Nothing is ever downloaded."""

    engine: Literal["none", "spacy", "transformers", "gliner", "stanza"] = "none"
    """What runs the model; "none" leaves names alone."""
    model: str | None = None
    """A folder, or the name of an installed model."""
    entities: list[str] = ["PERSON", "ORGANIZATION", "LOCATION"]
    """What of it counts."""

    @model_validator(mode="after")
    def _has_model(self) -> Self:
        if self.engine != "none" and not self.model:
            raise ValueError(
                f"the engine {self.engine} needs a model: a folder, or an installed model's name"
            )
        return self


class Views(Part):
    """How texts are looked at besides as they stand."""

    encodings: bool = True
    """Percent, HTML, base64, hex and quoted-printable encodings, and JSON within strings."""
    documents: bool = True
    """Attachments: text, docx, xlsx, pptx, pdf, zip."""
    joins: bool = True
    """Values that are split over parts, messages or string concatenations."""
    depth: int = Field(default=3, ge=0, le=6)
    """How many encodings within each other are undone."""
    max_decoded: Size = 64 * 1024 * 1024
    """How much one request may decode to; more is an unreadable body."""


class Detection(Part):
    """What is looked for in every call."""

    entities: list[str] = Field(default_factory=list)
    """Entities of Presidio to look for besides those of the built-in profile: US_PASSPORT, DATE_TIME."""
    countries: list[str] = Field(default_factory=list)
    """Countries whose identity, tax and health numbers are looked for: de, es, in, us."""
    without: list[str] = Field(default_factory=list)
    """Entities not to look for."""
    thresholds: dict[str, Annotated[float, Field(ge=0.0, le=1.0)]] = Field(default_factory=dict)
    """The least score of an entity; 0.4 where it is not named."""
    phone_regions: list[str] = [
        *("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "CA", "AU", "BR"),
        *("AT", "BE", "CH", "FI", "IE", "JP", "NZ", "SE", "ZA"),
    ]
    """Regions whose national phone formats are known, as ISO 3166 codes."""
    patterns: list[Pattern] = Field(default_factory=list)
    """Entities of your own."""
    allow: Allowed = Allowed()
    secrets: Secrets = Secrets()
    known_values: KnownValues = KnownValues()
    ner: Ner = Ner()
    views: Views = Views()
    tokens: Literal["keyed", "numbered"] = "keyed"
    """What stands in for values: "keyed" gives a value the same token in all calls, by a key of the state
    folder; "numbered" counts the values of each call, so that recordings hold nothing of them and fit on any
    machine. `tollgate record` and `tollgate replay` set it."""

    @property
    def files(self) -> tuple[Path, ...]:
        """What it names. When one of these changes, it is built anew."""
        return (*self.known_values.files, *self.secrets.rules)


# -- what is done about it: governs one call, rules override it -------------------------------------------


class AnswerScan(Part):
    """What models write of their own accord. What stands in for a value of the request is not looked at."""

    scan: bool = False
    """Whether answers are looked into, where `dlp` is enabled."""
    actions: dict[str, Action] = {"SECRET": "report", "PERSONAL": "report"}
    """By entity, secret rule or group, as for requests; but here all of them are for good, "replace" too, and
    "block" ends the answer with an error. A wrong finding changes what a person reads, or a file."""
    window: int = Field(default=80, ge=32, le=4096)
    """How many characters a streamed text waits for its end, where any action is more than a report. Words
    without blanks, and what looks like the beginning of a secret, wait until they are complete."""


class Dlp(Part):
    """What is done with what is found."""

    enabled: bool = False
    """Whether calls are looked into at all."""
    actions: dict[str, Action] = {"SECRET": "replace", "PERSONAL": "replace"}
    """By entity, secret rule or group (SECRET, PERSONAL); the most specific one holds. "replace" puts a
    reversible token in the value's place; "mask", "hash", "redact" and "encrypt" cannot be undone here;
    "block" refuses the call; "report" only records it."""
    on_unrewritable: Literal["block", "drop_part", "allow"] = "block"
    """Where a finding cannot be replaced: within a file that is no text, a path, a number, an encoding other
    than base64 of text, or over several parts. "drop_part" leaves out what holds it; in the place of a
    document stands a note that it was removed."""
    on_mangled: Literal["restore_fuzzy", "error_to_model", "pass"] = "restore_fuzzy"
    """Where a model has changed a token within a tool call's arguments."""
    answers: AnswerScan = AnswerScan()
