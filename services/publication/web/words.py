"""The words of the contract's vocabularies, for people: field names and values that a timeline shows.

Every text here is a message of the catalogues (``N_`` marks it); a word that is missing is shown bare, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from babel.numbers import format_decimal

Translate = Callable[[str], str]


def N_(message: str) -> str:
    """Mark a message for extraction."""
    return message


FIELDS = {
    "document_no": N_("Document"),
    "case_no": N_("Case"),
    "instance": N_("Instance"),
    "from_day": N_("From"),
    "permit_no": N_("Permit"),
    "permit_kind": N_("Kind of permit"),
    "valid_until": N_("Valid until"),
    "violation": N_("Violation"),
    "violations": N_("Violations"),
    "corrected": N_("Put right"),
    "legal_field": N_("Field of law"),
    "correct_by": N_("To be corrected by"),
    "correction_ordered": N_("Correction ordered"),
    "kinds": N_("Measures"),
    "amount": N_("Amount"),
    "gravity": N_("Gravity"),
    "fault": N_("Fault"),
    "basis": N_("Basis"),
    "kind": N_("Kind"),
    "mode": N_("Manner"),
    "component_scores": N_("Scores"),
    "published_outcome": N_("Published outcome"),
    "outcome_pending": N_("New outcome pending"),
    "closure": N_("Order to close"),
    "parent": N_("Parent"),
    "year": N_("Year"),
    "total": N_("Total"),
    "maximum": N_("Out of"),
    "final": N_("Nothing more can be filed"),
    "deductions": N_("Deductions"),
    "standard": N_("Scoring standard"),
    "product": N_("Product"),
    "batch_no": N_("Batch"),
    "result": N_("Result"),
    "report_no": N_("Report"),
    "outcome": N_("Outcome"),
    "act": N_("Act"),
    "reply": N_("Reply"),
    "reason": N_("Reason"),
    "status": N_("Status"),
    "name": N_("Name"),
    "business_kind": N_("Kind of business"),
    "address": N_("Address"),
    "postcode": N_("Postcode"),
    "district": N_("District"),
    "business_type": N_("Type of business"),
    "local_ref": N_("Authority's own number"),
    "licence_numbers": N_("Licences"),
    "registered_on": N_("Registered on"),
    "operating_since": N_("Operating since"),
    "operation": N_("Operation"),
    "closed_on": N_("Closed on"),
    "closed_reason": N_("Reason for closing"),
    "until": N_("Until"),
    "whole": N_("The whole permit"),
    "objection_no": N_("Objection"),
    "application_no": N_("Application"),
    "authority": N_("Authority"),
    "ground": N_("Ground"),
    "origin": N_("Brought about by"),
    "entry": N_("Entry"),
    "effective_from": N_("Counts no more from"),
}

VALUES = {
    "warning": N_("warning"),
    "criticism": N_("circulated criticism"),
    "fine": N_("fine"),
    "confiscation_of_gains": N_("confiscation of gains"),
    "confiscation_of_property": N_("confiscation of property"),
    "advertising_approval_revoked": N_("advertising approval revoked"),
    "approval_certificate_revoked": N_("approval certificate revoked"),
    "suspension_ordered": N_("business suspended"),
    "permit_withheld": N_("permit withheld"),
    "business_licence_withheld": N_("business licence withheld"),
    "permit_revoked": N_("permit revoked"),
    "business_licence_revoked": N_("business licence revoked"),
    "detention": N_("detention"),
    "minor": N_("minor"),
    "general": N_("general"),
    "serious": N_("serious"),
    "none": N_("none"),
    "negligence": N_("negligence"),
    "gross_negligence": N_("gross negligence"),
    "intent": N_("intent"),
    "drug": N_("drug law"),
    "device": N_("device law"),
    "cosmetics": N_("cosmetics law"),
    "food": N_("food law"),
    "price": N_("price law"),
    "trade": N_("trade law"),
    "family_planning": N_("family planning law"),
    "medical_insurance": N_("medical insurance law"),
    "public_security": N_("public security law"),
    "other": N_("other"),
    "routine": N_("routine"),
    "special": N_("special"),
    "complaint": N_("after a complaint"),
    "recheck": N_("re-check"),
    "initial": N_("first"),
    "licensing": N_("for a licence"),
    "reopening": N_("before reopening"),
    "ordered": N_("ordered"),
    "kept": N_("kept in force"),
    "lifted": N_("lifted"),
    "on_site": N_("on site"),
    "written": N_("in writing"),
    "remote": N_("remote"),
    "handed_over": N_("handed over"),
    "left": N_("left at the premises"),
    "post": N_("by post"),
    "notice": N_("by public notice"),
    "electronic": N_("electronically"),
    "qualified": N_("qualified"),
    "unqualified": N_("not qualified"),
    "pending": N_("pending"),
    "penalised": N_("penalised"),
    "violation_no_penalty": N_("violation established, no penalty"),
    "no_violation": N_("no violation"),
    "transferred": N_("transferred"),
    "inspection": N_("inspection"),
    "sampling": N_("sampling"),
    "request_for_material": N_("request for material"),
    "case_investigation": N_("case investigation"),
    "given": N_("given"),
    "chance_given": N_("chance given"),
    "closed": N_("closed"),
    "deregistered": N_("deregistered"),
    "licence_revoked": N_("licence revoked"),
    "operating": N_("operating"),
    "interrupted": N_("interrupted"),
    "drug_retail": N_("drug retail"),
    "drug_wholesale": N_("drug wholesale"),
    "drug_chain": N_("drug chain"),
    "device_retail": N_("device retail"),
    "device_wholesale": N_("device wholesale"),
    "restaurant": N_("restaurant"),
    "food_retail": N_("food retail"),
    "hygiene": N_("hygiene"),
    "structural": N_("structure"),
    "confidence_in_management": N_("confidence in management"),
    "violation_points": N_("violation points"),
    "reconsideration": N_("reconsideration"),
    "litigation": N_("litigation"),
    "authority_above": N_("authority above"),
    "own_motion": N_("of its own motion"),
    "granted": N_("granted"),
    "refused": N_("refused"),
    "upheld": N_("upheld"),
    "changed": N_("changed"),
    "rejected": N_("rejected"),
    "withdrawn": N_("withdrawn"),
    "slip_of_the_pen": N_("slip of the pen"),
    "wrong_subject": N_("wrong subject"),
    "wrong_date": N_("wrong date"),
    "wrong_content": N_("wrong content"),
    "entered_twice": N_("entered twice"),
    "source_changed": N_("source changed"),
    "self_reported": N_("reported by the office itself"),
    "objection": N_("objection"),
    "supervision": N_("supervision"),
    "truth_determined": N_("determination of the truth"),
    "subject": N_("the enterprise"),
    "authority": N_("an authority"),
    "third_party": N_("a third party"),
    "annulled": N_("annulled"),
    "declared_unlawful": N_("declared unlawful"),
    "new_decision_ordered": N_("a new decision ordered"),
    "dismissed": N_("dismissed"),
}

# Where one word means different things in different facts, each fact's own.
_IN_TYPE = {
    ("mingjian.crime.judged.v1", "final"): N_("No appeal left"),
    ("mingjian.score.recorded.v1", "final"): N_("Final score"),
}
# And where a value does: an objection that is upheld holds, a decision that is upheld stands.
_UPHELD = N_("the decision stands")
_VALUE_IN_TYPE = {("mingjian.reconsideration.decided.v1", "upheld"): _UPHELD, ("mingjian.litigation.decided.v1", "upheld"): _UPHELD}

# Dates have their own places in a timeline; regimes and items would only repeat what stands elsewhere on the page.
_ELSEWHERE = frozenset({"occurred_on", "service", "regime", "regimes", "items", "attachments", "concepts", "document", "cause"})
_DAYS = frozenset({"valid_until", "correct_by", "until", "effective_from", "from_day"})


def word(value: str, translate: Translate) -> str:
    """A vocabulary word in the page's language, or the word itself."""
    known = VALUES.get(value)
    return translate(known) if known else value


def _value(name: str, value: Any, translate: Translate, lang: str, day: Callable[[str], str]) -> str:
    if isinstance(value, bool):
        return translate("yes") if value else translate("no")
    if isinstance(value, list):
        joint = "、" if lang == "zh" else ", "
        return joint.join(_value(name, one, translate, lang, day) for one in value)
    if isinstance(value, dict):
        if "component" in value:
            return f"{word(str(value['component']), translate)} {value.get('points')}"
        if "id" in value and "source" in value:
            return str(value["id"])
        if "item" in value:
            return f"{value['item']} −{value.get('points')}"
        return " · ".join(_value(key, one, translate, lang, day) for key, one in value.items() if key not in _ELSEWHERE)
    if name in _DAYS:
        return day(str(value))
    if name == "amount":
        return f"¥{format_decimal(str(value), locale='en')}" if str(value).replace(".", "", 1).isdigit() else str(value)
    return word(value, translate) if isinstance(value, str) and name not in ("name", "address") else str(value)


def lines(
    data: dict[str, Any], translate: Translate, lang: str, day: Callable[[str], str], *, type_name: str = ""
) -> list[tuple[str, str]]:
    """(label, value) of a fact's public data, in the order in which the words are listed above; acts one line each."""
    found: list[tuple[str, str]] = []
    for name, label in FIELDS.items():
        value = data.get(name)
        if value is not None and value != [] and name not in _ELSEWHERE:
            said = _IN_TYPE.get((type_name, name), label)
            own = _VALUE_IN_TYPE.get((type_name, value)) if isinstance(value, str) else None
            found.append((translate(said), translate(own) if own else _value(name, value, translate, lang, day)))
    if words := data.get("replacement"):
        found += [(f"→ {label}", value) for label, value in lines(words["data"], translate, lang, day, type_name=words["type"])]
    for act in data.get("acts") or ():
        found.append((translate(N_("Act")), _act(act, translate, lang, day)))
    return found


def _act(act: dict[str, Any], translate: Translate, lang: str, day: Callable[[str], str]) -> str:
    if "id" in act and "source" in act:
        return str(act["id"])
    parts = [_value(name, act[name], translate, lang, day) for name in ("kinds", "amount", "violation", "legal_field") if act.get(name)]
    return " · ".join(parts)


YES_NO = (N_("yes"), N_("no"))
