"""What differs between two answers, and what is it called?"""
