"""Short forms and lookalikes of the words of safeguarding hide; their ordinary namesakes do not."""

import pytest

from flagservice.fhir.patient_view.content import HidingReason
from flagservice.fhir.patient_view.view import patient_view
from tests.fhir.patient_view.records import a, bundle, to

HIDING = """
Safe-guarding meeting | Safe guard referral | s a f e g u a r d i n g | SafeGuarding
s\u0430f\u0435guarding | MAR\u0410\u0421 on Monday | saf\xe9guarding | \u0455afeguarding
s\u03b1feguarding | \u041c\u0410R\u0410C | ch\u0456ld protection | s\u0430fegu\u0430rding
childprotection | child\u2003 \u2013 protection | Child protect. plan | child prot conf
CP conference | Initial CP conf | CP case conference | c p plan | C.P. plan | CP medical
CP protection plan | ICPC attended | RCPC minutes | Child made subject of a plan
Children's social care involved: child on a plan | Child at risk | Children at risk.
Social services concern re: child at risk | Referred to children\u2019s social care
Section 47 opened | section 47 | Sect. 47 enquiry | s. 47 enquiry | s47 outcome
S.47 of the Children Act | Section 47 of the Children Act 1989 | s47 strategy meeting
Under police protection powers | Care order | Interim care order | Subject to a care order
care order granted | Placed under a care order | Family court care order
DV disclosed by mother | Discloses recent DV | History of DV | hx of DV. | DVA concerns
DVPO: DV perpetrator | Exposed to DV | fleeing DV | IDVA | Referred to an ISVA | In refuge
Moved to a women's refuge | at the refuge | Clare's Law disclosure | DASH risk checklist
DASH RIC 16 | MASH referral | MASH enquiry | Referred to MASH | Discussed with the MASH
MASH team | Suspected NAI | ?NAI | Possible NAI | NAI | NAI excluded | nonaccidental injury
Vulnerable adult | Vulnerable child: see notes | On the at-risk register
"""
ORDINARY_NAMESAKES = """
CP clinic | CP (cerebral palsy), spastic | CP on exertion | cp | CPR plan | ICPC-2 code
Section 47/49 transfer | Section 47 of the Mental Health Act | Section 47 MHA
See section 47 of the leaflet | section 4.7 | section 47.1 | Section 470 opened | S47
S47: crushing injury of shoulder | Crushed shoulder (S47) | Is 47 started on insulin
DV lenses | DV 6/9 | DV with glasses 6/6 | Blurred DV | D&V for three days | D/V
History of DV problems | Reports DV blurred | advised | DVLA informed | DVT suspected | MASH
MASH with fibrosis | Referred to MASH clinic | MASH referral to hepatology
Takes refugee clinic | Refugee health check | Took refuge in work | wildlife refuge
DASH diet | DASH score 16 | QuickDASH | NAIT | NAI therapy for influenza | Renai
Child at risk of obesity | Children at risk for asthma | Child on a planned admission
Discharge is subject to a plan | Safe guards on the bed | Safety guard | social care
Child protected from the sun | child-proof caps | Protection, child seat
Diabetes care order form completed | Palliative care orders | Care order set for asthma
Vulnerable adult: flu vaccine eligible | Clinically vulnerable adult
vulnerable child flu jab | Extremely vulnerable adults shielding
Hospital at risk register of asthma | Information leaflet withheld at patient request
Metformin withheld | Data sheet withheld | No PAT | ECG: no-pat. | no pat | Nopatch | s a d
A & B & C & D | x y z w v
\u0421\u0430\u0445\u0430\u0440\u043d\u044b\u0439 \u0434\u0438\u0430\u0431\u0435\u0442
\u0391\u03c3\u03b8\u03bc\u03b1 | Caf\xe9 au lait spots | Guarding of the abdomen
"""


def each(words: str) -> list[str]:
    """The phrases of a text that a line or a bar divides."""
    return [one for line in words.strip().splitlines() for one in line.split(" | ")]


def reason(words: str) -> HidingReason | None:
    """Why a condition of this name is removed from beside a patient."""
    said = a("Condition", "c", subject=to("Patient/p"), code={"text": words})
    view = patient_view(bundle(a("Patient", "p"), said))
    assert view.kept + len(view.removals) == 2
    return view.removals[0].reason if view.removals else None


@pytest.mark.parametrize("words", each(HIDING))
def test_other_words_for_safeguarding_hide(words: str) -> None:
    assert reason(words) is HidingReason.WORDS


@pytest.mark.parametrize("words", each(ORDINARY_NAMESAKES))
def test_their_ordinary_namesakes_do_not(words: str) -> None:
    assert reason(words) is None
