"""What may a connection cost before its caller is known?"""
