"""How does a flag reach a GP record? By an outbox, and by what a practice reads for itself."""
