"""The witness and the log's way of asking it."""
