"""Signs of late and false entries, one detector a file (ADR 35). They read facts, never findings."""
