"""Published formats that are taken in: one file each, the only places that name a regime in Python."""
