"""What every call costs, and a stop before it costs too much."""
