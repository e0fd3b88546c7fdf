"""Keys, tokens and passwords in settings: they are left out of what is written.

A value counts as one by the name of its setting (hub_token, api_key), or by its own form (hf_..., sk-..., a URL with
`user:password@`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "<not written>"
_NAME = re.compile(
    r"(?i)(^|[_\-.])(token|secret|password|passwd|passphrase|credentials?|auth|bearer|cookie"
    r"|(api|access|secret|private|encryption)[_\-]?key|apikey)([_\-.]|$)"
)
_KEY = re.compile(
    r"\b(hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_\-]{16,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w\-]{16,}"
    r"|xox[a-z]-[\w\-]{8,}|AKIA[A-Z0-9]{12,}|AIza[\w\-]{20,}|eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*)"
)
_IN_URL = re.compile(r"(?<=://)[^/\s@]+@")
_IN_QUERY = re.compile(r"(?i)([?&][\w\-]*(token|secret|password|key|signature|sig|credential)=)[^&\s#]+")


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name holds a secret: hub_token does, max_new_tokens does not."""
    return bool(_NAME.search(name.lstrip("-")))


def without_secrets(value: Any, name: str = "") -> Any:
    """The value of a setting, or a dict or list of them, with HIDDEN in place of each secret."""
    if isinstance(value, dict):
        return {key: without_secrets(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_secrets(item, name) for item in value]
    if not isinstance(value, str) or not value:
        return value
    return HIDDEN if is_secret_name(name) else _without_known(value)


def command_without_secrets(words: Iterable[str]) -> list[str]:
    """A command line in which the values of secret flags are hidden: `--name value` and `--name=value`."""
    shown, name = [], ""
    for word in words:
        flag, equals, value = word.partition("=")
        if word.startswith("--"):
            name = flag
            shown.append(f"{flag}={without_secrets(value, flag)}" if equals else word)
        else:
            shown.append(without_secrets(word, name))
    return shown


def _without_known(text: str) -> str:
    text = _IN_URL.sub(f"{HIDDEN}@", text)
    text = _IN_QUERY.sub(rf"\1{HIDDEN}", text)
    return _KEY.sub(HIDDEN, text)
