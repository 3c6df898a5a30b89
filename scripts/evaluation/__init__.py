"""How well detection does, on labelled data that is not part of this repository."""
