"""What can be searched by?"""
