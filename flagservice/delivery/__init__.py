"""How does a flag reach a GP record? By an outbox that forgets nothing."""
