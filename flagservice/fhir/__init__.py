"""How is it told? FHIR R4, built only from a disclosure."""
