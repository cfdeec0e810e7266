"""What a GP system supplier runs: a system to push to, and checks that it hides what it must."""
