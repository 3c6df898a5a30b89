"""Calls that are recorded in files, and answered from them without a provider."""
