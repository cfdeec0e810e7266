"""A small FHIR R4 server that stands in for the clinical system of one GP practice.

It is a process of its own and imports nothing of flagservice: it knows the service only by HTTP and
JSON. Its three sides are told apart by bearer token:

    system    /fhir/...       what the service pushes     clinical/interactions, criteria
    clinician /clinician/...  what the practice sees      clinical/view
    patient   /patient/...    what an online reader sees  patient/view, fhir, labels

Flags and tasks lie in one table, ordinary entries in another. The patient's side has only the
second, so it has no flags to filter out. `--leak` breaks one door at a time, to show that a leak
check finds it.
"""
