"""What waits, and which person has to look?"""
