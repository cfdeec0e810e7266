"""What is said, about whom, in which words? No I/O, no clock, no randomness."""
