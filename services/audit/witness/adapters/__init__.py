"""The witness's folder and disk."""
