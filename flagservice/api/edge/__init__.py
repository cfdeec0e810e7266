"""What is refused before anybody is asked who calls?"""
