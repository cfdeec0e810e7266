"""How is the API described?"""
