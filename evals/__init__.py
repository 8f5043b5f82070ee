"""Suites, scorers, reports, gates."""
