"""A small FHIR R4 server that stands in for the clinical system of one GP practice.

It runs as its own process and imports nothing of flagservice: like any supplier, it knows
the service only by the HTTP and the JSON that arrive. Three sides, told apart by bearer token:

    system    /fhir/...       what the service pushes       interactions, criteria, capability
    clinician /clinician/...  what the practice sees        clinician_view
    patient   /patient/...    what an online reader sees    patient_view, patient_fhir, labels

Flags and tasks lie in one table, ordinary entries in another, and the patient's side holds
only the second: it does not filter flags out, it has no way to reach them. Unless it is started
with `--leak`, which breaks one door at a time, so that a leak check can be seen to find it.
"""
