"""What can an operator do at the command line?"""
