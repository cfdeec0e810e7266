"""What is checked of a request before its caller is known?"""
