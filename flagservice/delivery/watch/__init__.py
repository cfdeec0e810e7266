"""What waits, and who has to look?"""
