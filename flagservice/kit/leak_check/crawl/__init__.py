"""What is asked of a GP system's patient side, and what did it answer?"""
