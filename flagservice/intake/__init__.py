"""How does a submission become issued flags, in one transaction?"""
