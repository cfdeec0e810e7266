"""The ways out: FHIR REST to a practice's system, or a list that somebody works."""
