"""What a policy needs to look into texts and to change them, built once for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tollgate.calls import Runtime
from tollgate.dlp.engine import Engine, build
from tollgate.dlp.examine import Examiner
from tollgate.dlp.named import check_names
from tollgate.dlp.operators import Operators
from tollgate.dlp.profile import OWN, THRESHOLD
from tollgate.dlp.tokens import Minter, Numbered
from tollgate.policy.dlp import Detection
from tollgate.policy.watch import Look, look
from tollgate.store import Digester, load_key

_WARM_UP = "warm up – with an “é”, too: write to someone@example.com or +1 212 555 0100, or 200 45927735"
"""Holds what has tables that are made or read at first use: characters, domains, phone numbers, and what may
be one in any region."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a policy needs, built once for it."""

    detection: Detection
    files: Look
    """How the files that it names were."""
    engine: Engine
    examiner: Examiner
    minter: Minter
    operators: Operators


def equip(runtime: Runtime) -> Equipment:
    """Build what a policy needs. It takes seconds the first time. PolicyError for what there is not."""
    detection = runtime.policy.file.detection
    files = _looks(detection)
    key = load_key(runtime.state)
    check_names(runtime.policy, cache_folder(runtime.state))
    with runtime.policy.placing():
        engine = build_engine(detection, runtime.state, runtime.digester)
    examiner = _examiner(engine, detection, runtime.digester)
    operators = Operators(key)
    operators.apply("hash", "warm up")
    minter = Numbered() if detection.tokens == "numbered" else Minter(key)
    return Equipment(detection, files, engine, examiner, minter, operators)


def is_made_for(equipment: Equipment, detection: Detection) -> bool:
    """Whether it is what `equip` would build, by the policy and the files that this names."""
    return equipment.detection == detection and equipment.files == _looks(detection)


def _looks(detection: Detection) -> Look:
    return tuple(map(look, detection.files))


def build_engine(detection: Detection, state: Path, digester: Digester) -> Engine:
    """An engine that is warm: its first text takes no longer than others. It raises what `build` does."""
    engine = build(detection, cache_folder(state), digester)
    examiner = _examiner(engine, detection, digester)
    examiner.text(_WARM_UP, "text", "", examiner.budget())
    return engine


def build_examiner(detection: Detection, state: Path, digester: Digester) -> Examiner:
    """An examiner that is warm."""
    return _examiner(build_engine(detection, state, digester), detection, digester)


def _examiner(engine: Engine, detection: Detection, digester: Digester) -> Examiner:
    return Examiner(engine, detection.views, lambda data: digester.digest("dlp slot", data))


def cache_folder(state: Path) -> Path:
    """Where compiled patterns are kept, made (0700) if it is not there: what stands in it is believed."""
    cache = state / "cache"
    cache.mkdir(mode=0o700, exist_ok=True)
    return cache


def thresholds(detection: Detection) -> dict[str, float]:
    """The entities that are looked for besides secrets, each with its least score. ValueError for an entity
    or a country that does not exist."""
    from tollgate.dlp.presidio import entities  # imports for seconds

    models = detection.ner.entities if detection.ner.engine != "none" else ()
    names = {*entities(detection), *(set(OWN) - set(detection.without)), *models}
    return {name: detection.thresholds.get(name, THRESHOLD) for name in names}
