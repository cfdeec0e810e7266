"""Where are the keys, and how are they replaced?"""
