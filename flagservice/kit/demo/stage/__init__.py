"""What runs while the families are played, and what each practice received."""
