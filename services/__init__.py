"""The four services, and what carries them (``_bus``, ``_cli``)."""
