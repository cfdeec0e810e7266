"""Plans and notifications from agencies, as FHIR R4 Flags in the right GP records."""
