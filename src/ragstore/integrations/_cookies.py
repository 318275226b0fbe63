"""The cookie that keeps a session's token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Final, Literal

from ragstore.errors import InvalidInput

SameSite = Literal["lax", "strict", "none"]

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")


def cookie_name(name: str) -> str:
    """Check a cookie's name.

    Raises:
        InvalidInput: It could not stand in a header; `field` is "cookie".
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput("must be 1 to 100 ASCII letters, digits and !#$%&'*+-.^_`|~", field="cookie")
    return name


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """How a session's token is kept in the browser. Scripts never see it (HttpOnly).

    Attributes:
        name: The cookie's name. One that begins with `__Host-` is bound to this very host, as browsers see to it.
        secure: Send it over HTTPS only. False is for development without.
        same_site: "lax" keeps it from other sites' forms and scripts, "strict" from their links too. "none" needs
            `secure`, and protection of your own against forged requests.
        max_age: How long the browser keeps it; None: until it is closed. The session's own end is in the store.
        domain: Send it to this domain and all below; None: to this host alone.
        path: Send it for this path and all below.

    Raises:
        InvalidInput: A value is unfit, or browsers would refuse the cookie.
    """

    name: str = "session"
    secure: bool = True
    same_site: SameSite = "lax"
    max_age: timedelta | None = None
    domain: str | None = None
    path: str = "/"

    def __post_init__(self) -> None:
        """Refuse what browsers would."""
        cookie_name(self.name)
        if self.same_site not in ("lax", "strict", "none"):
            raise InvalidInput("must be 'lax', 'strict' or 'none'", field="same_site")
        if self.same_site == "none" and not self.secure:
            raise InvalidInput("must not be 'none' without secure", field="same_site")
        if self.name.startswith("__Secure-") and not self.secure:
            raise InvalidInput("begins with __Secure-, which needs secure", field="cookie")
        if self.name.startswith("__Host-") and not (self.secure and self.domain is None and self.path == "/"):
            raise InvalidInput("begins with __Host-, which needs secure, no domain and the path /", field="cookie")
        for field in ("domain", "path"):
            if re.search(r"[;\s\x00-\x1f]", getattr(self, field) or ""):
                raise InvalidInput("must have no semicolon, space or control character", field=field)

    def header(self, token: str | None) -> str:
        """Write the value of a `Set-Cookie` header: the token, or None to have the browser forget it."""
        jar: SimpleCookie = SimpleCookie()
        jar[self.name] = token or ""
        morsel = jar[self.name]
        morsel.update({"path": self.path, "samesite": self.same_site.capitalize()})
        for flag in ("httponly", *(["secure"] if self.secure else [])):
            morsel[flag] = True
        if self.domain is not None:
            morsel["domain"] = self.domain
        age = timedelta() if token is None else self.max_age
        if age is not None:
            morsel["max-age"] = str(int(age.total_seconds()))
        return morsel.OutputString()
