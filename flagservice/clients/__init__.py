"""Which organisations call, and how do they prove it?"""
