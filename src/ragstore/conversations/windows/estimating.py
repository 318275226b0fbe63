"""How many tokens a message takes, where nobody says."""

from __future__ import annotations

import re

from ragstore.conversations.parts import to_json
from ragstore.conversations.records import Message
from ragstore.core import json

_CHARACTERS = 4
_WIDE = re.compile(
    "[\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)


def estimate_tokens(message: Message) -> int:
    """Estimate a message's tokens from its text and, as JSON, its parts.

    A character of Chinese, Japanese or Korean is a token, and of others four are one, rounded up. English is a little
    less, code and most other languages are more: a model's own tokenizer knows.
    """
    text = message.content + "".join(json.dumps(to_json(part)) for part in message.parts or ())
    wide = len(_WIDE.findall(text))
    return wide + -(-(len(text) - wide) // _CHARACTERS)
