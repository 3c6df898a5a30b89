"""What a token looks like: the stand-in for a redacted value, in requests as they leave and in answers."""

from __future__ import annotations

import re

BRAND = "QZX"
WIDTH = 14
"""Letters and digits of a token. Of one for an e-mail address, the part before the @."""

SHAPE = re.compile(rf"{BRAND}[A-Z][A-Z2-7]{{{WIDTH - len(BRAND) - 1}}}", re.ASCII | re.IGNORECASE)
"""Text that has the shape of a token, whoever made it, in any case."""
