"""What the optional fields of events mean, in a few words of both languages, and how the contract's field types are written.

The contract's models stay the authority; these words are for whoever fills in a skeleton. A test holds every field to have some.
"""

from __future__ import annotations

from typing import Any

from schemas import fields as f

# Field type → how a value is written. What is not here is a text.
FORMS: tuple[tuple[Any, str], ...] = (
    (f.CivilDate, "date such as 2026-01-15"),
    (f.Instant, "instant in UTC such as 2026-01-15T08:30:00.000Z"),
    (f.Amount, "decimal in quotation marks, not negative, such as 97.5"),
    (f.Latitude, "degrees in quotation marks such as 30.2741234"),
    (f.Longitude, "degrees in quotation marks such as 120.1551234"),
    (f.DecimalText, "decimal in quotation marks such as -12.3456"),
    (f.Word, "word of small letters, digits and _"),
    (f.DashedWord, "word of small letters, digits and -"),
    (f.Name, "one line, at most 200 characters"),
    (f.Text, "text, at most 2000 characters"),
    (f.DocumentNo, "number of a document, at most 80 characters"),
    (f.ViolationCode, "code such as YP-104"),
    (f.Sha256, "SHA-256, 64 hex digits"),
    (f.EventId, "id of an event, a UUID"),
    (f.KeyId, "id of a key, 32 hex digits"),
    (f.Base64Url, "base64url without padding"),
    (f.Pseudonym, "officer:pseudonym"),
    (f.Person, "person:32 hex digits"),
    (f.Office, "/departments/department/offices/office"),
    (f.Regime, "regime such as liyujiang or fhrs"),
    (f.SubjectId, "uscc:…, fhrs:…, camis:… or person:…"),
    (f.TimeZone, "time zone such as Asia/Shanghai"),
    (f.Points, "whole number from 0 to 1000"),
)

WORDS: dict[str, tuple[str, str]] = {
    # Every event may carry these.
    "officers": ("执法人员（化名）", "officers who acted, by their pseudonyms"),
    "entered_by": ("录入人", "who entered it"),
    "on_behalf_of": ("代何人录入", "for whom it was entered"),
    "reviewed_by": ("复核人", "who reviewed it"),
    "started_at": ("开始时刻", "when the act began"),
    "ended_at": ("结束时刻", "when the act ended"),
    "position": ("位置：WGS 84，度；精度以米计", "where it was: WGS 84 in degrees, accuracy in metres"),
    "attachments": ("附件：大小以字节计", "photographs and scans by their hashes, size in bytes"),
    "commitments": ("私密值的承诺；由 `mingjian sign` 填写", "commitments to private values; `mingjian sign` fills them in"),
    "note": ("备注，不得含个人信息", "a remark, without personal data"),
    # Documents, terms, persons.
    "service": ("送达：日期、方式；未送达则不填", "service of the document: day and method; left out until it is served"),
    "announces": ("公告所公布的行为", "the act that the announcement makes public"),
    "document_no": ("文书号", "the document's number"),
    "case_no": ("案号", "the case's number"),
    "occurred_on": ("发生日期", "the day on which it happened"),
    "until": ("截止日期（含当日）", "the last day, inclusive"),
    "effective_from": ("生效日期", "the day from which it has effect"),
    "responsible_person": ("负责人（化名）", "the responsible person, by pseudonym"),
    "correct_by": ("改正期限（含当日）", "the last day for putting it right"),
    "decide_by": ("决定期限（含当日）", "the last day for deciding"),
    "appeal_by": ("申诉期限（含当日）", "the last day for appealing"),
    "accepted_on": ("受理日期", "the day on which it was accepted"),
    "reason": ("理由", "the reason"),
    "statement": ("陈述", "the statement"),
    "decision": ("所依据的决定的事件号", "the decision that it follows from"),
    "decided_by_event": ("作出决定的事件号", "the event by which it was decided"),
    "application": ("申请的事件号", "the application that is decided"),
    # Enterprises and permits.
    "name": ("名称", "the enterprise's name"),
    "business_kinds": ("业态（只对这些企业；不填则对所有企业）", "the kinds of business that it is for; left out: all"),
    "business_kind": ("业态", "the kind of business"),
    "business_type": ("经营类型（登记原文）", "the type of business as the register words it"),
    "address": ("经营地址", "the address of the premises"),
    "registered_address": ("注册地址", "the registered address"),
    "postcode": ("邮政编码", "the postcode"),
    "district": ("辖区", "the district"),
    "local_ref": ("本地编号", "the local register's reference"),
    "licence_numbers": ("许可证号", "the licences' numbers"),
    "licence_valid_until": ("许可证有效期至", "the licence's last day"),
    "valid_until": ("有效期至", "the last day of validity"),
    "scope": ("经营范围", "the scope of business"),
    "mode": ("经营方式", "the mode of business"),
    "registered_capital": ("注册资本（元）", "the registered capital in yuan"),
    # Inspection, sampling, scores.
    "items": ("检查项目及结果", "the checklist's lines with their results"),
    "violations": ("违法违规代码", "codes of the violations that were found"),
    "corrected": ("已改正的代码", "codes of what was found to be put right"),
    "regime": ("评级制度", "the regime that rates it"),
    "component_scores": ("分项得分（分）", "the scores of components, in points"),
    "published_outcome": ("已公布的结果，仅供比对", "what a published register said, only to compare with"),
    "outcome_pending": ("结果待定", "whether the outcome is still open"),
    "closure": ("是否停业：责令停业、维持停业、准许重新营业", "whether it closed the premises, kept them closed or let them open again"),
    "sample_no": ("样品编号", "the sample's number"),
    "batch_no": ("产品批号", "the product's batch"),
    "report_no": ("检验报告号", "the report's number"),
    "result_on": ("出具结果日期", "the day of the result"),
    "inspection": ("检查的事件号", "the inspection that it rests on"),
    "year": ("年度", "the year"),
    "list_no": ("名单编号", "the list's number"),
    # Entries, findings, operation.
    "source_document": ("原始文书的哈希", "the hash of the document it was entered from"),
    "entry": ("所涉录入：来源与事件号", "the entry it is about, by source and id"),
    "derived": ("所涉派生事件（等级或发现）的事件号", "the derived event it is about, a grade or a finding"),
    "replacement": ("替代内容", "what takes its place"),
    "truth": ("查明的事实", "what was found to be true"),
    "finding": ("发现的事件号", "the finding it is about"),
    "evidence_sha256": ("证据的哈希", "the hash of the evidence"),
    "appeal": ("申诉的事件号", "the appeal that is decided"),
    "assessment": ("评估的事件号", "the assessment it rests on"),
    "clause": ("条款", "the clause"),
    "categories": ("类别", "the categories"),
    "observed_by": ("由何处发现", "by what it was noticed"),
}


def form(kind: Any) -> str | None:
    """How a value of this field type is written; None where the contract has no such type."""
    return next((words for one, words in FORMS if kind is one or kind == one), None)
