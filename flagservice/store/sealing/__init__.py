"""How is everything personal sealed, and found again?"""
