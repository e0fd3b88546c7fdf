"""Language models that neither see nor hear. They show what an audit is worth that knows the words alone."""

from __future__ import annotations

from models.others.chat_model import ChatModel


class TextOnly(ChatModel):
    """Takes no media."""
