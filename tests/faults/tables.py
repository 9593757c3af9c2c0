"""What a superuser does to PostgreSQL: name of the kind → the table that is put back afterwards, and the statement."""

from __future__ import annotations

from schemas.topics import FACTS

_NAMES = {
    "$FACT": f"(SELECT source, id FROM intake.first_copy WHERE topic = '{FACTS}' ORDER BY partition, \"offset\" LIMIT 1)",  # noqa: S608
    "$MEMBER": "(SELECT list, subject FROM publication.list_member ORDER BY list, subject LIMIT 1)",
    "$GRADED": "(SELECT regime, subject FROM publication.grade WHERE regime = 'liyujiang' AND grade <> 'B' ORDER BY subject LIMIT 1)",
    "$CHANGED": "(SELECT min(seq) FROM publication.change WHERE in_force_from IS NOT NULL)",
    "$LATE": "(SELECT min(id) FROM audit.finding WHERE about = 'entry')",
    "$HELD": '(SELECT partition, "offset" FROM publication.fact WHERE occurred_on IS NOT NULL ORDER BY partition, "offset" LIMIT 1)',
    "$TOLD": "(SELECT min(id::text)::uuid FROM publication.list_change)",
    "$LAST": "(SELECT max(first) FROM audit.log_plan)",
    "$X": "overlay(value placing 'x' from 40)",
}
_INVENTED = """
    INSERT INTO intake.first_copy SELECT source, gen_random_uuid(), event_hash, topic, partition, 1000, received_ms, known_ms
    FROM intake.first_copy WHERE (source, id) = $FACT
"""
_ENTERED = """
    INSERT INTO publication.list_member SELECT list, 'uscc:91990000YL00009999', regime, grade, since, clause, change_id, known_ms
    FROM publication.list_member WHERE (list, subject) = $MEMBER
"""
_DATED = """
    UPDATE publication.fact SET data = jsonb_set(data, '{occurred_on}', '"2001-01-01"') WHERE (partition, "offset") = $HELD
"""
_STATEMENTS: dict[str, tuple[str, str]] = {
    "plan": ("audit.log_plan", "UPDATE audit.log_plan SET partition = partition + 20 WHERE first = $LAST"),
    "plan-back": ("audit.log_head", "UPDATE audit.log_head SET planned = planned - 5, signed = signed - 5"),
    "name": ("audit.log_event", "UPDATE audit.log_event SET leaf = leaf + 1000000 WHERE leaf = 7"),
    "finding-deleted": ("audit.finding", "DELETE FROM audit.finding WHERE id = $LATE"),
    "finding-edited": ("audit.finding", "UPDATE audit.finding SET value = $X WHERE id = $LATE"),
    "finding-moved": ("audit.finding", "UPDATE audit.finding SET office = '/departments/another/offices/one' WHERE id = $LATE"),
    "finding-superseded": ("audit.finding", "UPDATE audit.finding SET superseded = true WHERE id = $LATE"),
    "envelope": ("intake.submission", "UPDATE intake.submission SET value = $X WHERE (source, id) = $FACT"),
    "receipt-edited": ("intake.first_copy", "UPDATE intake.first_copy SET received_ms = received_ms - 1000 WHERE (source, id) = $FACT"),
    "receipt-deleted": ("intake.first_copy", "DELETE FROM intake.first_copy WHERE (source, id) = $FACT"),
    "receipt-invented": ("intake.first_copy", _INVENTED),
    "refusal-edited": ("intake.refusal", "UPDATE intake.refusal SET value = $X"),
    "grade": ("publication.grade", "UPDATE publication.grade SET grade = 'B' WHERE (regime, subject) = $GRADED"),
    "grade-deleted": ("publication.grade", "DELETE FROM publication.grade WHERE (regime, subject) = $GRADED"),
    "change-edited": ("publication.change", "UPDATE publication.change SET in_force_from = in_force_from - 30 WHERE seq = $CHANGED"),
    "reasons-edited": ("publication.change", "UPDATE publication.change SET data = data - 'reasons' WHERE seq = $CHANGED"),
    "list-edited": ("publication.list_member", "UPDATE publication.list_member SET since = since - 30 WHERE (list, subject) = $MEMBER"),
    "list-deleted": ("publication.list_member", "DELETE FROM publication.list_member WHERE (list, subject) = $MEMBER"),
    "list-invented": ("publication.list_member", _ENTERED),
    "list-history": ("publication.list_change", "DELETE FROM publication.list_change WHERE id = $TOLD"),
    "fact-deleted": ("publication.fact", 'DELETE FROM publication.fact WHERE (partition, "offset") = $HELD'),
    "fact-edited": ("publication.fact", _DATED),
}


def _spelt(statement: str) -> str:
    for name, words in _NAMES.items():
        statement = statement.replace(name, words)
    return statement


TABLES: dict[str, tuple[str, str]] = {name: (table, _spelt(statement)) for name, (table, statement) in _STATEMENTS.items()}
