"""What does the sandbox's patient see?"""
