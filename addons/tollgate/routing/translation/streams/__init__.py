"""Streamed answers of each dialect: events as pieces of the neutral form, and pieces as events."""
