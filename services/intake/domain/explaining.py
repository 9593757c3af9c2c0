"""What pydantic found wrong, in the words of ``wording``: one code, one place, no copy of private values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import ValidationError

from services.intake.domain.faults import Fault, fault
from services.intake.domain.personal import find

# The models' own sentences in Chinese. A test finds a sentence of a wired type that is missing here.
CONTRADICTIONS: dict[str, str] = {
    "officers names someone twice": "officers 中有人重复",
    "ended_at lies before started_at": "ended_at 早于 started_at",
    "known_to_office_on lies before served_on": "known_to_office_on 早于 served_on",
    "last lies before first": "last 早于 first",
    "evaluation_date lies before period.last": "evaluation_date 早于 period.last",
    "a day lies outside the year": "有日期不在该年内",
    "a day is both off and worked": "同一天既放假又上班",
    "days_off names a weekend day; those are free without being named": "days_off 中有周末；周末本来就放假",
    "make_up_days names a weekday; those are worked without being named": "make_up_days 中有工作日；工作日本来就上班",
    "key_id does not belong to this algorithm and public_key": "key_id 与算法和公钥不符",
    "ended lies before started": "ended 早于 started",
    "until must lie after occurred_on": "until 应晚于 occurred_on",
    "kinds names a kind twice": "kinds 中有重复的种类",
    "approvals_revoked counts approvals, but kinds has no advertising_approval_revoked": "有 approvals_revoked，kinds 却没有这种处罚",
    "occurred_on must be service.served_on: what happened is the service": "occurred_on 应与 service.served_on 相同：发生的就是送达",
    "component_scores names a component twice": "component_scores 中有重复的项目",
    "nothing is named that changed": "没有写明变更了什么",
    "officers must name two different officers": "officers 应有两名不同的人员",
    "public_key: an Ed25519 public key has 32 bytes": "Ed25519 公钥应为 32 字节",
    "public_key: a P-256 public key is an uncompressed point of 65 bytes that begins with 04": "P-256 公钥应为以 04 开头的 65 字节未压缩点",
    "public_key: the point is not on P-256": "公钥不是 P-256 上的点",
    "public_key: a key of small order signs every message alike": "小阶公钥对任何内容都通过,不能使用",
    "not base64url without padding": "不是无填充的 base64url",
    "base64url with stray bits": "base64url 末尾有多余的位",
    "commitments belong beside the replacement, into data.commitments": "承诺应写在 data.commitments，不写在更正内容里",
    "effective_from is given where repair is granted, and only there": "准予修复时写明 effective_from，不准予时不写",
    "as_of lies after occurred_on: a list can't show a day that is still to come": "as_of 晚于 occurred_on：名单不能显示尚未到来的一天",
    "extended_to must lie after decide_by": "extended_to 应晚于 decide_by",
    "the term had run out on decide_by, before this notice": "期限已于 decide_by 届满，早于本通知",
    "a refusal needs a reason": "不准予应写明理由",
    "an objection is about an entry or about something derived: give one of entry and derived": "entry 和 derived 写一个",
    "entry is needed: what follows from the decision concerns an entry": "需要 entry：决定的后果落在一项录入上",
    "replacement is given where the outcome is changed, and only there": "结果为 changed 时写明 replacement，其他结果不写",
    "until lies before from_day": "until 早于 from_day",
    "period_to lies before period_from": "period_to 早于 period_from",
    "decided_by was involved in the entry; someone else must decide": "decided_by 参与过该项录入，应由他人认定",
    "an entry is false only on two sources of different origin": "认定为 false 须有两项来源不同的依据",
    "truth is missing: what should the entry have said?": "缺少 truth：该项录入本应如何写？",
    "what never took place has no replacement": "并未发生的事项不写 truth",
    "an entry that is true has no other truth beside it": "认定为 true 的，不另写 truth，took_place 应为 true",
    "an entry that is undetermined has no other truth beside it": "认定为 undetermined 的，不另写 truth，took_place 应为 true",
    "a reply has a statement, unless it was waived": "答复须有陈述，放弃的则不写",
    "decided_by was involved; someone else must decide": "decided_by 参与过此事，须由他人决定",
    "appeal names the finding.appealed event where the instance is an appeal, and only there": "申诉审级写明 appeal，初次决定不写",
    "a finding that is cleared has no consequence and finds no purpose": "结果为 cleared 的，没有后果，也不认定故意",
    "a finding that is remitted has no consequence and finds no purpose": "结果为 remitted 的，没有后果，也不认定故意",
    "circulated criticism needs an effect on a grade": "通报批评须影响了等级",
    "a referral needs falsehood on purpose": "移送追究责任须认定故意",
    "a first decision that confirms names the last day to appeal (appeal_by)": "初次决定认定成立的，写明申诉期限 appeal_by",
    "a consequence names its clause": "有后果的须写明条款",
}
_TERM = re.compile(r"([a-z_.]{1,40}) lies before occurred_on")
_REGIME_SUBJECT = "the subject must be regime:"
_NAMED = {
    ("event", "specversion"): "specversion",
    ("event", "datacontenttype"): "content-type-of-data",
    ("event", "id"): "id-form",
    ("event", "source"): "source-form",
    ("event", "type"): "type-form",
    ("signature", "alg"): "signature-algorithm",
}
_TYPES = {
    "string_type": ("文本", "text"),
    "int_type": ("整数", "an integer"),
    "int_parsing": ("整数", "an integer"),
    "int_from_float": ("整数", "an integer"),
    "bool_type": ("true 或 false", "true or false"),
    "date_type": ("日期", "a date"),
    "dict_type": ("对象", "an object"),
    "model_type": ("对象", "an object"),
    "model_attributes_type": ("对象", "an object"),
    "tuple_type": ("数组", "an array"),
    "list_type": ("数组", "an array"),
}
_BOUNDS = {
    "greater_than_equal": ("ge", "不小于 {}", "at least {}"),
    "less_than_equal": ("le", "不大于 {}", "at most {}"),
    "greater_than": ("gt", "大于 {}", "more than {}"),
    "less_than": ("lt", "小于 {}", "less than {}"),
}
_SUBJECT_CODES = ("subject-scheme", "subject-form", "subject-check-digit")


def pointer(steps: Sequence[Any]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(step)[:80].replace("~", "~0").replace("/", "~1") for step in steps)


def explain(error: ValidationError, schemes: Sequence[str], within: tuple[str, ...] = ()) -> Fault:
    """The first of pydantic's complaints. ``within``: where the validated part stands in the submission; ``schemes``: those that
    a subject may have here."""
    first = error.errors(include_url=False)[0]
    place = (*within, *first["loc"])
    kind, context = first["type"], first.get("ctx") or {}
    field, value = _shown(place, first.get("input"))
    if kind == "missing":
        return fault("missing-field", field=field)
    if kind == "extra_forbidden":
        return fault("unknown-field", field=field)
    if kind == "subject-mismatch":
        return fault("subject-mismatch", field="/event/subject", **_mismatch(str(context.get("why", ""))))
    if place[0] == "private":
        return fault("salt-form", field=field) if place[-1] == "salt" else fault("private-form", field=field)
    if code := _NAMED.get(place[:2]):
        return fault(code, field=field, value=value)
    if place[0] == "signature":
        return fault("signature-form", field=field)
    if kind == "value_error":
        return _sentence(str(context.get("error", "")), field, value, schemes)
    return _typed(kind, context, field, value)


def _shown(place: Sequence[Any], value: Any) -> tuple[str, Any]:
    """Pointer and value as far as they may be shown: nothing private, no number of a person."""
    latest = date.max
    field = pointer(place)
    if find(field, latest):
        field = pointer(place[:-1])
    if place and place[0] == "private" or not isinstance(value, str | int):
        return field, None
    return field, None if isinstance(value, str) and find(value, latest) else value


def _sentence(words: str, field: str, value: Any, schemes: Sequence[str]) -> Fault:
    code = words.partition(":")[0]
    if code in _SUBJECT_CODES:
        return fault(code, field=field, value=value, schemes=", ".join(schemes))
    if words.startswith("a date between"):
        return fault("date-range", field=field, value=value)
    if words.startswith(("a date such as", "day is out of range", "month must be", "year ", "day ", "Invalid isoformat")):
        return fault("instant-form" if field.endswith(("time", "_at")) else "date-form", field=field, value=value)
    if words.startswith(("an instant", "a time of day")):
        return fault("instant-form", field=field, value=value)
    if words.startswith("a decimal string"):
        return fault("decimal-form", field=field, value=value)
    if words.startswith("degrees are"):
        most = "90" if field.endswith("/lat") else "180"
        return fault("degrees-form", field=field, value=value, most=most)
    if words.startswith("an amount"):
        return fault("amount-negative", field=field, value=value)
    if words.startswith("service.served_on lies before"):
        return fault("served-before-decided", field=f"{field}/service/served_on")
    if match := _TERM.fullmatch(words):
        return fault("contradiction", field=field, zh=f"{match[1]} 早于 occurred_on", en=words)
    if words.startswith("replacement.data/"):
        where, _, why = words.removeprefix("replacement.data/").partition(": ")
        return fault("replacement-wrong", field=pointer([*field.split("/")[1:], "data", *where.split("/")]), why=why)
    if words.startswith("replacement.type"):
        return fault("replacement-type", field=f"{field}/type")
    if words.endswith("retract it and say it anew"):
        return fault("replacement-of-a-change", field=f"{field}/type")
    if zh := CONTRADICTIONS.get(words):
        return fault("contradiction", field=field, zh=zh, en=words)
    return fault("contradiction", field=field, zh="字段之间互相矛盾", en="fields contradict each other")


def _mismatch(why: str) -> dict[str, str]:
    if why.startswith(_REGIME_SUBJECT):
        return {"zh": "主体应是 data.regime 所指的制度", "en": "the subject must be the regime that data names"}
    return {"zh": "与 data 不一致", "en": why or "they don't fit"}


def _typed(kind: str, context: Mapping[str, Any], field: str, value: Any) -> Fault:
    if kind in _TYPES:
        zh, en = _TYPES[kind]
        return fault("wrong-type", field=field, value=value, zh=zh, en=en)
    if kind == "string_pattern_mismatch":
        return fault("text-form", field=field, value=value, pattern=context["pattern"])
    if kind == "string_too_long":
        return fault("text-too-long", field=field, value=value, most=context["max_length"])
    if kind == "string_too_short":
        return fault("text-empty", field=field)
    if kind == "too_long":
        return fault("too-many-items", field=field, most=context["max_length"])
    if kind == "too_short":
        return fault("too-few-items", field=field, least=context["min_length"])
    if kind == "literal_error":
        return fault("not-a-choice", field=field, value=value, choices=str(context["expected"]).replace(" or ", ", "))
    if kind in _BOUNDS:
        name, zh, en = _BOUNDS[kind]
        return fault("number-range", field=field, value=value, zh=zh.format(context[name]), en=en.format(context[name]))
    return fault("contradiction", field=field, zh="不符合字段说明", en="it does not fit the contract")
