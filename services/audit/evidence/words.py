"""Words of the report, Chinese and English: of kinds, times, explanations and steps. What detectors say of themselves is theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.audit.domain.detectors.model import Declared
from services.audit.domain.late import KIND, RETRACTED

Both = tuple[str, str]

TIMES: Mapping[str, Both] = {
    "occurred_on": ("行为发生之日（录入人所述）", "day of the act (as entered)"),
    "ended_at": ("执法活动结束（录入人所述）", "end of the activity (as entered)"),
    "result_on": ("抽验结果之日（录入人所述）", "day of the sample's result (as entered)"),
    "served_on": ("文书送达之日（录入人所述）", "day of service of the document (as entered)"),
    "signed": ("签署时间（录入设备的时钟）", "signed (clock of the device)"),
    "received_at": ("收到时间（接收服务的时钟）", "received (clock of intake)"),
    "record": ("记入时间（记录自身的时间）", "recorded (time of the record itself)"),
    "known_from": ("系统自何时知悉", "known to the system from"),
}
STEPS: Mapping[str, Both] = {
    "notified": ("已告知", "Notified"),
    "replied": ("已答复", "Replied"),
    "decided": ("已决定", "Decided"),
    "appealed": ("已申诉", "Appealed"),
}
STANDINGS: Mapping[str, Both] = {
    "open": ("未告知", "not notified"),
    "notified": ("已告知，待答复", "notified, no reply yet"),
    "replied": ("已答复，待决定", "replied, no decision yet"),
    "waived": ("放弃答复，待决定", "declined to reply, no decision yet"),
    "decided": ("已决定，尚可申诉", "decided; an appeal is open"),
    "appealed": ("已申诉，待决定", "appealed, not decided yet"),
    "final": ("已终结", "final"),
}
OUTCOMES: Mapping[str, Both] = {
    "confirmed": ("成立", "confirmed"),
    "cleared": ("不成立，已澄清", "cleared"),
    "remitted": ("发回重新处理", "remitted"),
}
EXCUSES: Mapping[str, Both] = {
    "none": ("未提出", "none"),
    "outage": ("系统故障", "an outage"),
    "signed_in_time": ("按期签署", "signed in time"),
    "leave": ("休假", "leave"),
    "handed_over": ("已交接", "handed over"),
    "wrong_calendar": ("日历有误", "a wrong calendar"),
    "source_was_late": ("来源迟到", "the source was late"),
    "not_responsible": ("不由其负责", "not responsible for it"),
    "other": ("其他", "another one"),
}
CONSEQUENCES: Mapping[str, Both] = {
    "none": ("无", "none"),
    "circulated_criticism": ("通报批评", "circulated criticism"),
    "referral_for_accountability": ("移送追责", "referral for accountability"),
}
INTENTS: Mapping[str, Both] = {"on_purpose": ("认定故意", "found to be on purpose")}
SUPPOSING: Mapping[str, Both] = {
    "on_time": ("假设在期限最后一日结束前录入", "supposing that it had been entered by the end of the last day of its term"),
    "true": ("假设录入内容属实", "supposing that it had said what was so"),
    "never": ("假设没有这项录入", "supposing that it had never been entered"),
}
MARKS: Mapping[str, Both] = {
    "signed_in_time": ("在期限内签署", "signed in time"),
    "outage": ("期限内有申明的故障", "a declared outage touched the term"),
    "provisional": ("暂定：所涉年度的工作日历尚未发布", "provisional: the calendar of a year concerned is not issued"),
    "ongoing": ("两条路径在截止日仍有差别", "the paths still differ at the cut"),
    "undone_since": ("按现在所知，这些日子的等级没有差别", "by all known since, none of these days has another grade"),
    "joint": ("与其他录入共同所致", "together with other entries"),
    "truth_unknown": ("真实情况未经认定", "what was so has not been determined"),
}
_LATE: Mapping[str, Both] = {
    "signed_in_time": (
        "签署在期限内，因设备离线或线路中断而后收到",
        "signed in time and received later: a device offline, a line that was down",
    ),
    "outage": ("期限内有申明的故障", "a declared outage touched the term"),
    "provisional": ("所涉年度的工作日历尚未发布，期限仍会变", "a year's calendar is not issued, so the deadline may move"),
    "handed_over": ("录入由他人负责：分配、交接、休假", "someone else had to enter it: assignment, hand-over, leave"),
    "source_was_late": ("文书或送达证明后来才到", "the document, or the proof of its service, came late itself"),
}
_LATE_CLEARS: Both = (
    "另有证明表明送达或活动结束较晚；由他人负责录入；有日历或更正使期限后移；按期发送而被拒（回执）。届时重新计算。",
    "Proof of a later service or end of the activity; that someone else had to enter it; a calendar or a correction that moves the "
    "deadline; an attempt in time that was refused (its refusal). It is then worked out again.",
)
_KINDS: Mapping[str, Both] = {KIND: ("逾期录入", "Late entry"), RETRACTED: ("逾期录入（已撤回）", "Late entry, retracted")}


def kind(name: str, declared: Declared | None) -> Both:
    """What a kind is called."""
    return _KINDS.get(name) or ((declared.zh, declared.en) if declared else (name.replace("_", " "), name.replace("_", " ")))


def explanations(data: Mapping[str, Any], declared: Declared | None) -> list[tuple[Both, bool]]:
    """The innocent explanations of a finding, and whether the records themselves speak for each."""
    if late := data.get("late"):
        return [(said, bool(late.get(code))) for code, said in _LATE.items()]
    named = {one.code: (one.zh, one.en) for one in declared.explanations} if declared else {}
    return [(named.get(one["code"], (one["code"], one["code"])), one["supported"]) for one in data.get("explanations") or ()]


def clears(name: str, declared: Declared | None) -> Both | None:
    """What would end the matter."""
    if name in (KIND, RETRACTED):
        return _LATE_CLEARS
    return (declared.clears_zh, declared.clears_en) if declared else None


def rederives(data: Mapping[str, Any]) -> Both:
    """What ``verify`` works out again of a finding, and what it doesn't."""
    if data["kind"] in (KIND, RETRACTED):
        return (
            "期限、逾期天数和影响都由包内记录重新算出，并与记录逐字节比较。",
            "Deadline, delay and effect are worked out again from the records in the pack and compared with the log's, byte for byte.",
        )
    if data.get("statistic"):
        return (
            "统计检验的总体不在包内：不重新计算。包内能核对的是所列记录、签名，以及记入日志的总体摘要。",
            "The population of the test is not in the pack, so the test is not worked out again. What can be checked here are the records "
            "listed, their signatures, and the digest of the population that went on record.",
        )
    return (
        "由包内记录重新运行该检测项；若它还要看别的记录，核对时会如实说明。",
        "The detector is run again over the records in the pack; where it needs others besides, verifying says so.",
    )
