"""The security labels that a copy can carry."""

from enum import StrEnum


class Label(StrEnum):
    """A label by its code. The policy says which ones a copy carries."""

    NOPAT = "NOPAT"
    """no disclosure to the patient, family or carers"""
    PERSISTLABEL = "PERSISTLABEL"
    """whoever passes it on passes on its labels"""
    RESTRICTED = "R"
    VERY_RESTRICTED = "V"
