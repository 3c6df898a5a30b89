"""What must not leave: detectors, scan, redact, restore."""
