"""Seeded leaks: patches to shipping code, each of which a named test must catch."""
