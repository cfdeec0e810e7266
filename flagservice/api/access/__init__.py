"""Who calls, and with what right?"""
