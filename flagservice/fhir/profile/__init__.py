"""Does a resource fit its profile?"""
