"""Where is this person's record now, and how is that practice reached?"""
