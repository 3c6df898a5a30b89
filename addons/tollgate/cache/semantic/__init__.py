"""Answers to questions that mean the same. Only `models` and `index` need the extra packages."""
