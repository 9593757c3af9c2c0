"""Audit's pages and addresses."""
