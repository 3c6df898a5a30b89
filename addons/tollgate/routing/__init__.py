"""Where calls go: targets, strategies, health, and translation between dialects."""
