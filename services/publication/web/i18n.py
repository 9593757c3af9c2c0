"""Chinese first, English beside it: catalogues read from the checked-in .po files, and the language of a request.

The language is remembered in the link (``?lang=en``), never in a cookie, so that an address always shows the same page.
"""

from __future__ import annotations

from collections.abc import Mapping
from gettext import NullTranslations, c2py  # type: ignore[attr-defined]
from pathlib import Path

from babel.messages.pofile import read_po

from services._bus.problems import LANGUAGES as LANGUAGES
from services._bus.problems import negotiate as negotiate


class Catalogue(NullTranslations):
    """gettext over the entries of a .po file; what it lacks is shown as it stands in the template (English)."""

    def __init__(self, lang: str, path: Path) -> None:
        super().__init__()
        self.lang = lang
        with path.open("rb") as file:
            entries = read_po(file, locale=lang)
        self._plural = c2py(entries.plural_expr)
        self._one: dict[tuple[str | None, str], str] = {}
        self._many: dict[str, tuple[str, ...]] = {}
        for entry in entries:
            if not entry.id or entry.fuzzy:
                continue
            if isinstance(entry.id, tuple):
                forms = tuple(entry.string)
                if all(forms):
                    self._many[entry.id[0]] = forms
            elif entry.string:
                self._one[(entry.context, str(entry.id))] = str(entry.string)

    def gettext(self, message: str) -> str:
        """The message in this language."""
        return self._one.get((None, message), message)

    def pgettext(self, context: str, message: str) -> str:
        """The message as said in a context."""
        return self._one.get((context, message)) or self.gettext(message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """The message for a number of things."""
        forms = self._many.get(singular)
        if forms is None:
            return singular if n == 1 else plural
        return forms[min(self._plural(n), len(forms) - 1)]


def load(folder: Path) -> Mapping[str, Catalogue]:
    """Catalogues by language from ``<folder>/<lang>/LC_MESSAGES/messages.po``."""
    return {lang: Catalogue(lang, folder / lang / "LC_MESSAGES" / "messages.po") for lang in LANGUAGES}
