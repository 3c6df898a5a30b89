"""Answers that are given again to calls that ask the same."""
