"""What the detectors find in falsified sample towns, held against what was sown: ``python -m tests.detection``."""
