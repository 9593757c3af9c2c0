"""Pure part of audit: the Merkle log's bytes and the detectors. No clock, network, environment or randomness."""
