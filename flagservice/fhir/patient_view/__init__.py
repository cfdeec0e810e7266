"""What may a patient see of somebody else's Bundle?"""
