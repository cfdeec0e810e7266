"""What does the sandbox's clinical side do?"""
