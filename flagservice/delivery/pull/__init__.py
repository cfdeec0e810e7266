"""What does a practice read for itself?"""
