"""What a reply of a server is: an answer of some kind, an error to try again, or one that stays."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from scripts.baselines.transport import Received
from utils.reading.refusal import is_refusal

ANSWERED, REFUSED, FILTERED, CUT_OFF, EMPTY = "answered", "refused", "filtered", "cut_off", "empty"
ANSWERS = (ANSWERED, REFUSED, FILTERED, CUT_OFF, EMPTY)
TRANSIENT, FAILED, FATAL = "transient", "failed", "fatal"  # try again; not for this mask; not for any mask
FATAL_STATUSES = (401, 402, 403, 404)
RETRIED_STATUSES = (408, 409, 425, 429)
FINISHED_BY_FILTER = ("content_filter", "safety", "prohibited_content", "blocklist", "recitation")
FINISHED_BY_LENGTH = ("length", "max_tokens")
OUT_OF_MONEY = "insufficient_quota"
EXCERPT = 200


@dataclass(frozen=True)
class Usage:
    """Tokens of one reply; None where the server does not say. `thought` is part of `output`."""

    input: int | None = None
    output: int | None = None
    thought: int | None = None
    cached: int | None = None
    sound: int | None = None


@dataclass(frozen=True)
class Verdict:
    """`kind`: one of ANSWERS, or TRANSIENT, FAILED, FATAL, whose `sentence` says what is wrong."""

    kind: str
    text: str = ""
    thinking: str | None = None
    usage: Usage = field(default_factory=Usage)
    model: str | None = None
    sentence: str = ""


def judge(received: Received) -> Verdict:
    """What has come. An error in a body counts like that status, also under the status 200."""
    content = _parsed(received.body)
    error = _error_of(content)
    if not 200 <= received.status < 300:
        return _of_status(received.status, error, _said(error, received.body), received.headers)
    if content is None:
        return Verdict(TRANSIENT, sentence="200 with a body that is not a JSON object")
    if error is not None and not content.get("choices"):
        said = _said(error, received.body)
        return _of_status(_code(error) or 500, error, f"200 with an error inside: {said}", received.headers)
    return _of_choices(content)


def _of_status(status: int, error: dict | None, said: str, headers: dict[str, str]) -> Verdict:
    sentence = f"{status}: {said}"
    code = str((error or {}).get("code") or (error or {}).get("type") or "").lower()
    if code in FINISHED_BY_FILTER:
        return Verdict(FILTERED, sentence=sentence)
    if code == OUT_OF_MONEY or status in FATAL_STATUSES:
        return Verdict(FATAL, sentence=sentence)
    wish = headers.get("x-should-retry", "").lower()
    is_transient = status in RETRIED_STATUSES or status >= 500
    if wish in ("true", "false"):
        is_transient = wish == "true"
    return Verdict(TRANSIENT if is_transient else FAILED, sentence=sentence)


def _of_choices(content: dict) -> Verdict:
    usage, model = _usage(content.get("usage")), content.get("model")
    choices = content.get("choices")
    blocked = (content.get("prompt_feedback") or content.get("promptFeedback") or {}) if not choices else {}
    if blocked:
        return Verdict(FILTERED, usage=usage, model=model, sentence="the prompt was blocked")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        return Verdict(TRANSIENT, usage=usage, model=model, sentence="200 without any choice")
    thinking = _text(message.get("reasoning_content")) or _text(message.get("reasoning")) or None
    text = _text(message.get("content"))
    if not text.strip() and thinking and "</audit>" in thinking:
        text = thinking  # some servers give the whole answer as thinking
    refusal = _text(message.get("refusal"))
    finish = str(choice.get("finish_reason") or "").lower()
    kind = REFUSED if refusal and not text.strip() else kind_of_text(finish, text)
    return Verdict(kind, text or refusal, thinking, usage, model)


def kind_of_text(finish: str, text: str) -> str:
    """One of ANSWERS. `finish`: why the text ends, in a server's words: stop, length, content_filter, ..."""
    if finish in FINISHED_BY_FILTER:
        return FILTERED
    if finish in FINISHED_BY_LENGTH:
        return CUT_OFF
    if not text.strip():
        return EMPTY
    return REFUSED if is_refusal(text) else ANSWERED


def _parsed(body: bytes) -> dict | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, list) and len(content) == 1:  # Gemini's form of an error
        content = content[0]
    return content if isinstance(content, dict) else None


def _error_of(content: dict | None) -> dict | None:
    error = (content or {}).get("error")
    if isinstance(error, str):
        return {"message": error}
    if content and content.get("object") == "error":  # vLLM's form
        return content
    return error if isinstance(error, dict) else None


def _code(error: dict) -> int | None:
    for value in (error.get("code"), error.get("status")):
        if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:
            return value
    return None


def _said(error: dict | None, body: bytes) -> str:
    said = str((error or {}).get("message") or "") or re.sub(r"<[^>]*>", " ", body.decode("utf-8", "replace"))
    return " ".join(said.split())[:EXCERPT] or "no explanation"


def _text(content: object) -> str:
    """A text, or the texts of a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return ""


def _usage(usage: object) -> Usage:
    if not isinstance(usage, dict):
        return Usage()
    prompt, output, total = (_count(usage, name) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    thought = _count(usage.get("completion_tokens_details"), "reasoning_tokens")
    if total is not None and prompt is not None and output is not None and total > prompt + output:
        thought = thought or total - prompt - output  # thinking that is not counted among the answer's tokens
        output = total - prompt
    details = usage.get("prompt_tokens_details")
    return Usage(prompt, output, thought, _count(details, "cached_tokens"), _count(details, "audio_tokens"))


def _count(counts: object, name: str) -> int | None:
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
