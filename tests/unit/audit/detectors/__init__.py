"""Detectors of signs, one file each."""
