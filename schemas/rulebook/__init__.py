"""Law as dated data: the model, its strict loader and its digest.

``load_rulebook(folder)`` → frozen ``Rulebook``; ``digest(rulebook)`` is what ``mingjian.rulebook.activated.v1`` names.
"""

from schemas.rulebook.conditions import CONDITION_KINDS, Condition
from schemas.rulebook.editions import load_all_editions, load_editions
from schemas.rulebook.errors import RulebookError
from schemas.rulebook.loader import digest, load_all, load_rulebook, load_texts
from schemas.rulebook.model import (
    Clause,
    Concept,
    DatedValue,
    Grade,
    Measure,
    Parameter,
    Published,
    Reading,
    Rule,
    Rulebook,
    RulebookFile,
    Status,
    Texts,
)

__all__ = [
    "CONDITION_KINDS",
    "Clause",
    "Concept",
    "Condition",
    "DatedValue",
    "Grade",
    "Measure",
    "Parameter",
    "Published",
    "Reading",
    "Rule",
    "Rulebook",
    "RulebookError",
    "RulebookFile",
    "Status",
    "Texts",
    "digest",
    "load_all",
    "load_all_editions",
    "load_editions",
    "load_rulebook",
    "load_texts",
]
