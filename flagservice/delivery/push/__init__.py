"""How is a flag sent to a practice?"""
