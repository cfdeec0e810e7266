"""What do GP systems read and answer?"""
