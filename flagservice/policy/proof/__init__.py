"""Would a policy keep every promise, in every case there is?"""
