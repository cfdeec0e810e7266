"""Which practice's system may have flags?"""
