"""Requests of each dialect, read into the neutral form and written from it."""
