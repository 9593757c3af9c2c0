"""Rendering: one Jinja environment a language, the functions that templates may call, and tags for answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from schemas.times import instant
from services.publication.domain.registry import Stack
from services.publication.domain.vocabulary import Vocabulary
from services.publication.web import dates, i18n, words

HERE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Asset:
    """A static file with its own hash in its address, so that it may be kept for ever."""

    name: str
    media_type: str
    body: bytes

    @property
    def href(self) -> str:
        """The address."""
        return f"/static/{hashlib.sha256(self.body).hexdigest()[:12]}/{self.name}"


_MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def assets(folder: Path = HERE / "static") -> dict[str, Asset]:
    """Static files by name, read once."""
    return {path.name: Asset(path.name, _MEDIA[path.suffix], path.read_bytes()) for path in folder.iterdir() if path.suffix in _MEDIA}


def anchor(text: str) -> str:
    """A stable fragment for a clause or reading, whatever its characters."""
    return "c-" + hashlib.sha256(text.encode()).hexdigest()[:10]


def tongue(lang: str, text: str | None) -> Markup:
    """The attribute that tells a screen reader and the browser's fonts of Chinese on a page in another language."""
    foreign = lang != "zh" and text is not None and any("\u4e00" <= one <= "\u9fff" for one in text)
    return Markup(' lang="zh-CN"') if foreign else Markup()


def zone_of(stack: Stack | None) -> ZoneInfo:
    """The stack's time zone; UTC before genesis was read."""
    try:
        return ZoneInfo(stack.time_zone if stack else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


class Portal:
    """Renders pages. Pages are whole HTML, escaped, without scripts or styles inside."""

    def __init__(self, vocabulary: Vocabulary, *, audit_url: str | None) -> None:
        self.vocabulary = vocabulary
        self.assets = assets()
        self._audit_url = audit_url
        # Pages that ask the database nothing, such as errors, wear the sample banner too.
        self._last_stack: Stack | None = None
        self._catalogues = i18n.load(HERE / "locale")
        self._environments = {lang: self._environment(catalogue) for lang, catalogue in self._catalogues.items()}

    def _environment(self, catalogue: i18n.Catalogue) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
            auto_reload=False,
        )
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            catalogue.gettext, catalogue.ngettext, newstyle=True, pgettext=catalogue.pgettext
        )
        return environment

    def translate(self, lang: str) -> Callable[[str], str]:
        """gettext of a language."""
        return self._catalogues[lang].gettext

    def language(self, request: Request) -> str:
        """The page's language."""
        return i18n.negotiate(request.query_params.get("lang"), request.headers.get("accept-language", ""))

    def render(self, request: Request, template: str, stack: Stack | None, *, status: int = 200, **values: Any) -> Response:
        """A page with its tag; 304 where the browser has it."""
        self._last_stack = stack or self._last_stack
        body = self._body(request, template, self._last_stack, values).encode()
        tag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
        headers = {"etag": tag, "cache-control": "no-cache", "vary": "Accept-Language", "content-language": self.language(request)}
        if status == 200 and tag in request.headers.get("if-none-match", "")[:2000]:
            return Response(status_code=304, headers=headers)
        return Response(body, status, media_type="text/html; charset=utf-8", headers=headers)

    def _body(self, request: Request, template: str, stack: Stack | None, values: Mapping[str, Any]) -> str:
        lang = self.language(request)
        zone = zone_of(stack)
        in_link = request.query_params.get("lang") in i18n.LANGUAGES
        translate = self.translate(lang)
        functions = {
            "lang": lang,
            "lang_in_link": in_link,
            "link": partial(link_in, lang if in_link else None),
            "other_language": _other_language(request, lang),
            "here": request.url.path,
            "asset": lambda name: self.assets[name].href,
            "words": self.vocabulary,
            "word": lambda value: words.word(value, translate),
            "day": lambda value: dates.day(value, lang),
            "moment": lambda value: dates.moment(value, lang, zone),
            "clock": lambda value: dates.clock(value, zone),
            "civil": lambda value: dates.civil(value, zone),
            "number": dates.number,
            "iso": lambda value: instant(value) if isinstance(value, int) else value,
            "anchor": anchor,
            "tongue": partial(tongue, lang),
            "say": lambda texts: texts.zh if lang == "zh" else texts.en,
            "stack": stack,
            "zone_name": zone.key,
            "audit_url": self._audit_url,
        }
        return self._environments[lang].get_template(template).render(**functions, **values)


def link_in(lang: str | None, path: str, **parameters: Any) -> str:
    given = {name: value for name, value in parameters.items() if value is not None}
    if lang is not None:
        given["lang"] = lang
    return quote(path, safe="/:%") + (f"?{urlencode(given)}" if given else "")


def _other_language(request: Request, lang: str) -> str:
    given = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    other = "en" if lang == "zh" else "zh"
    # One slash: with two the rest would be the name of another host.
    path = quote("/" + request.scope["path"].lstrip("/"), safe="/:@")
    return f"{path}?{urlencode([*given, ('lang', other)])}"
