"""Who could come to read what stands on a record, and whom a rule may be about.

These are the audiences of the matrix. A rule that does not say `readers` is about the practice. The
floors above give a flag to no other reader, and each policy says so by a rule.
"""

from enum import StrEnum


class Reader(StrEnum):
    """One audience of a GP record."""

    PRACTICE = "practice"
    """a clinician at the person's registered practice, with the right to safeguarding content"""
    PRACTICE_STAFF = "practice-staff"
    """the practice's staff without that right, and locums"""
    PATIENT = "patient"
    """the person's own online view"""
    PROXY = "proxy"
    """a parent or carer's view of the person's record"""
    PRINT = "print"
    """a printed or patient-held summary"""
    INSURER = "insurer"
    """an insurer or solicitor"""
    NOTIFICATION = "notification"
    """any message that filing a flag could set off: app, text, e-mail"""
    LETTER = "letter"
    """a referral letter, and its copies"""
    SUBJECT_ACCESS = "subject-access"
    """an export on a subject access request"""
    SHARED_CARE = "shared-care"
    """a shared record, emergency department, 111, out of hours"""
    NEXT_PRACTICE = "next-practice"
    """the practice after a move, by transfer of the record"""
    RESEARCH = "research"
    """research and analytics"""
    SUBMITTER = "submitter"
    """the agency that said it"""


TOWARDS_PATIENT = (Reader.PATIENT, Reader.PROXY, Reader.PRINT, Reader.INSURER, Reader.NOTIFICATION)
"""Whoever reads for the patient, or may hand on to the patient or the household."""
