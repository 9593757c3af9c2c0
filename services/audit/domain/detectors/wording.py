"""Words for what detectors saw: names of values, and values that are words of the contract or of a detector, in Chinese and English.

A value that is a number, a day, a document's number or a code is said as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schemas.rulebook.vocabulary import SANCTION_NAMES

Both = tuple[str, str]

NAMES: Mapping[str, Both] = {
    "case_no": ("案号", "Case number"),
    "closed_on": ("了结之日", "Closed on"),
    "codes": ("条目", "Items"),
    "content": ("内容", "Content"),
    "copies": ("雷同份数", "Copies"),
    "corrected": ("已改正的条目", "Items corrected"),
    "cut": ("分数线", "Cut"),
    "day": ("日期", "Day"),
    "deductions": ("扣分合计", "Deductions"),
    "document_no": ("文号", "Document number"),
    "ended_at": ("活动结束", "End of the activity"),
    "entered_on": ("录入之日", "Entered on"),
    "entries": ("录入项数", "Entries"),
    "final_scores": ("最后得分份数", "Final scores"),
    "items": ("检查项目", "Items inspected"),
    "just_bad": ("恰在分数线之下", "Just below the cut"),
    "just_good": ("恰在分数线之上", "Just above the cut"),
    "kinds": ("处罚种类", "Kinds of penalty"),
    "km_apart": ("两地相距（公里）", "Kilometres apart"),
    "km_away": ("距登记地点（公里）", "Kilometres from the registered place"),
    "lacking": ("缺少什么", "What was lacking"),
    "last_day": ("期限最后一日", "Last day of the term"),
    "left_behind": ("留下文书的检查", "Visits that left a document"),
    "legal_field": ("法律领域", "Legal field"),
    "minutes_between": ("相隔（分钟）", "Minutes between"),
    "occurred_on": ("行为之日", "Day of the act"),
    "origins": ("材料来源数", "Origins of the sources"),
    "outcome": ("案件结果", "Outcome of the case"),
    "overlap_minutes": ("重叠（分钟）", "Minutes of overlap"),
    "p": ("p 值（已校正）", "p-value, corrected"),
    "passed": ("检查合格记录", "Passed inspections"),
    "placebo_cuts": ("对照分数线", "Placebo cuts"),
    "proposed_on": ("拟评之日", "Proposed on"),
    "registry_offset": ("当时登记簿偏移", "Registry offset at the time"),
    "result": ("认定或结果", "Result"),
    "result_on": ("结果之日", "Day of the result"),
    "rule": ("矛盾之处", "The contradiction"),
    "sample_no": ("样品编号", "Sample number"),
    "seconds": ("历时（秒）", "Seconds that it lasted"),
    "served_on": ("送达之日", "Day of service"),
    "service": ("送达", "Service"),
    "speed_kmh": ("所需时速（公里）", "Kilometres an hour that it takes"),
    "subject": ("主体", "Subject"),
    "taken_back": ("撤回", "Taken back"),
    "texts": ("所比文字份数", "Texts compared"),
    "total": ("得分", "Score"),
    "violations": ("违法条目", "Violations"),
    "whole": ("整个许可", "The whole permit"),
    "act": ("行为", "Act"),
    "acts": ("处罚内容", "Acts of the decision"),
    "working_days": ("期限（工作日）", "Term in working days"),
    "working_days_silent": ("连续无录入的工作日", "Working days without an entry"),
    "z": ("标准化偏离", "Standardised excess"),
}
ROLES: Mapping[str, Both] = {
    "entry": ("所涉录入", "The entry in question"),
    "event": ("所涉录入", "The entry in question"),
    "cause": ("使其成立的记录", "What made it due"),
    "contradicts": ("与之矛盾", "What contradicts it"),
    "correction": ("更正", "The correction"),
    "determination": ("真实性认定", "The determination"),
    "ends": ("使其了结", "What ends it"),
    "evaluation": ("评定", "The evaluation"),
    "first_entry": ("先录入的", "The first entry"),
    "first_score": ("第一份得分", "The first score"),
    "first_visit": ("第一次检查", "The first visit"),
    "in_the_burst": ("突击期间的录入", "In the burst"),
    "last_entry": ("最后一项录入", "The last entry"),
    "later_entry": ("后录入的", "The later entry"),
    "later_score": ("后一份得分", "The later score"),
    "list": ("该部门的名单", "The department's list"),
    "neighbour": ("相邻文号", "The neighbour in the series"),
    "out_of_order": ("次序不符的", "Out of order"),
    "proposal": ("拟评等级", "The proposal"),
    "puts_right": ("使其更正的记录", "What puts it right"),
    "same_text": ("文字雷同", "The same text"),
    "score": ("得分", "The score"),
    "second_entry": ("第二项录入", "The second entry"),
    "second_visit": ("第二次检查", "The second visit"),
    "visit": ("检查", "The visit"),
}
LACKS: Mapping[str, Both] = {
    "key_unknown": ("签名密钥当时未登记", "its key was not registered"),
    "key_revoked": ("签名密钥当时已吊销", "its key had been revoked"),
    "holder_left": ("密钥持有人当时已离任", "the key's holder had left"),
    "role_missing": ("签名人当时没有录入此类事项的角色", "its signer had no role that may enter this"),
    "office_not_granted": ("签名人的角色不在该机构", "its signer's role was at another office"),
    "scheme_not_granted": ("签名人的角色不及此类主体", "its signer's role did not reach subjects of this kind"),
    "regime_not_granted": ("签名人的角色不及该制度", "its signer's role did not reach the regime"),
}
OUTCOMES: Mapping[str, Both] = {
    "penalised": ("已处罚", "penalised"),
    "violation_no_penalty": ("有违法行为、不予处罚", "a violation without a penalty"),
    "no_violation": ("无违法行为", "no violation"),
    "transferred": ("移送", "transferred"),
}
_RESULTS: Mapping[str, Both] = {
    "false": ("不真实", "false"),
    "inaccurate": ("不准确", "inaccurate"),
    "qualified": ("合格", "qualified"),
    "unqualified": ("不合格", "unqualified"),
}
_RULES: Mapping[str, Both] = {
    "item_both_ways": ("同一条目既合格又违法", "one item both passed and violated"),
    "passed_beside_case": ("检查合格而同日立案", "passed, and a case opened on the same day"),
    "opposite_inspections": ("同日两次检查结果相反", "two inspections of one day that say opposites"),
    "full_score_despite": ("抽验不合格而得满分", "full score in spite of a failed sample"),
    "closed_without_violation_yet_penalised": ("以无违法行为结案而有处罚", "closed without a violation, and penalised"),
    "case_closed_two_ways": ("一案两种结果", "one case with two outcomes"),
    "sample_two_results": ("一份样品两种结果", "one sample with two results"),
}
_FIELDS: Mapping[str, Both] = {
    "drug": ("药品法规", "drug law"),
    "device": ("器械法规", "device law"),
    "cosmetics": ("化妆品法规", "cosmetics law"),
    "food": ("食品法规", "food law"),
    "price": ("价格法规", "price law"),
    "trade": ("工商法规", "trade law"),
    "family_planning": ("计划生育法规", "family planning law"),
    "medical_insurance": ("医保法规", "medical insurance law"),
    "public_security": ("治安法规", "public security law"),
    "other": ("其他", "another field"),
}
_KINDS = {**SANCTION_NAMES, "correction_ordered": SANCTION_NAMES["correction_order"]}
_WORDS: Mapping[str, Mapping[str, Both]] = {
    "lacking": LACKS,
    "outcome": OUTCOMES,
    "result": _RESULTS,
    "rule": _RULES,
    "legal_field": _FIELDS,
    "kinds": _KINDS,
}
NOTHING: Both = ("无", "none")


def named(words: Mapping[str, Both], word: str) -> Both:
    """What a word is called; one that has no other name is said as it is."""
    plain = word.replace("_", " ")
    return words.get(word, (plain, plain))


def called(name: str) -> Both:
    """A value's name."""
    return named(NAMES, name)


def role_of(role: str) -> Both:
    """What a record that a finding rests on shows."""
    return named(ROLES, role)


def said(name: str, text: str) -> Both:
    """A value, by its name. Of several words, each."""
    if text == "-":
        return NOTHING
    words = _WORDS.get(name)
    if words is None:
        return text, text
    found = [words.get(one, (one, one)) for one in text.split(", ")]
    return "、".join(zh for zh, _ in found), ", ".join(en for _, en in found)


def penalties(kinds: Iterable[str]) -> Both:
    """Kinds of penalty in a sentence, each as often as it is there."""
    found = [_KINDS.get(one, (one, one)) for one in sorted(kinds)]
    return "、".join(zh for zh, _ in found) or NOTHING[0], ", ".join(en for _, en in found) or NOTHING[1]
