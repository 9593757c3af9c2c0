"""A witness (C2SP tlog-witness): remembers how far each log has come and cosigns what provably continues it. Runs without the rest."""
