"""What was done, provably? The log, its tree and the tree's signed heads."""
