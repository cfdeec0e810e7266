"""Where suppliers and councils try everything: a whole service for each, synthetic people only."""
