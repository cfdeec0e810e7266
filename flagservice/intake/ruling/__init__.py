"""What may each record of a person be told now?"""
