"""The contract: the bytes that clients, services and auditors must agree on. Imports nothing else of the project."""
