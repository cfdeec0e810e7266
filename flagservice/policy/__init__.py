"""What may be told to which record? Pure functions of a table and a case."""
