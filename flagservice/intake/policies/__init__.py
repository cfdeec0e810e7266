"""Which policies rule, and who approved them?"""
