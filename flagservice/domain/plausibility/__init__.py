"""Could this be true? What cannot be is refused; what is unlikely is asked about."""
