"""POST /sample/inspection: the start page's button. Same origin only, few times a minute, sample stacks only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services._bus.problems import Problem
from services.publication.adapters.sample_town import NoVisit, SampleTown
from services.publication.web.portal import Portal, link_in

_EACH = RateLimitItemPerMinute(12)
_ALL = RateLimitItemPerMinute(60)


class SampleButton:
    """``today(time zone)``: the civil day there."""

    def __init__(self, town: SampleTown, portal: Portal, today: Callable[[str], date]) -> None:
        self._town, self._portal, self._today = town, portal, today
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def route(self) -> Route:
        """The button's address."""
        return Route("/sample/inspection", self.press, methods=["POST"])

    async def press(self, request: Request) -> Response:
        """Visit one enterprise; a script gets JSON, a form is led to the enterprise's page."""
        _same_origin(request)
        address = request.client.host if request.client else ""
        if not (self._limiter.hit(_EACH, "each", address) and self._limiter.hit(_ALL, "all")):
            raise Problem(
                429, "too-often", zh="按得太快了，请过一分钟再试。", en="Too often; try again in a minute.", headers={"retry-after": "60"}
            )
        lang = self._portal.language(request)
        try:
            visited = await self._town.visit(self._today)
        except NoVisit as error:
            raise Problem(503, "no-visit", zh=error.zh, en=error.en, headers={"retry-after": "5"}) from None
        path = link_in(lang if "lang" in request.query_params else None, f"/subjects/{visited.subject}")
        if "application/json" in request.headers.get("accept", ""):
            said = f"已录入：{visited.name}" if lang == "zh" else f"Entered: {visited.name}"
            return JSONResponse({"message": said, "subject": visited.subject, "href": path}, 202)
        return RedirectResponse(path, 303)


def _same_origin(request: Request) -> None:
    """A form on another site can't press the button: browsers always say where a POST comes from."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    same = urlsplit(origin).netloc == request.headers.get("host") if origin and origin != "null" else site == "same-origin"
    if not same or site not in (None, "same-origin"):
        raise Problem(403, "other-origin", zh="只能在本站的页面上使用。", en="This works from a page of this site only.")
