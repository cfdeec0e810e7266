"""Did every practice receive what it should, and nothing else?"""
