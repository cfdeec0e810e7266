"""What does an officer read of a policy?"""
