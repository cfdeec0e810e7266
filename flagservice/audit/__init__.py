"""What was done, provably? The log, its tree, its signed heads and the packs made of them."""
