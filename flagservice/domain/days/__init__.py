"""Which day is it, and which day lies an interval later?"""
