"""The second specification."""
