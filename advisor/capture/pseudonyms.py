"""Stable pseudonyms for names: the same name has the same one under one key, and nobody without the key can go back.

A pseudonym is a keyed hash (HMAC-SHA256, 40 bits of it), so trying all likely names needs the key too. Keep the key to
give later captures the same pseudonyms; throw it away to make the step final.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from advisor.capture.tree import encode

_BYTES = 5  # 8 letters; among 100 000 names two are alike with a chance of 0.5 %


class Pseudonyms:
    """Gives names their pseudonyms: "host-k3ja52qd" for a host, and so on by kind."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._kinds: dict[str, str] = {}

    def learn(self, kind: str, name: str) -> str:
        """Its pseudonym; where the name comes up again in a text without structure, it keeps this kind."""
        self._kinds.setdefault(name, kind)
        return self.of(name)

    def of(self, name: str) -> str:
        """The pseudonym of a name, of the kind "name" when nothing is known of it."""
        digest = base64.b32encode(self._digest(name)[:_BYTES]).decode().lower()
        return f"{self._kinds.get(name, 'name')}-{digest}"

    def digits(self, number: str) -> str:
        """What stands for the number of a machine or a boot: as long, in hexadecimal digits, dashes where they were."""
        digits = iter(self._digest(number).hex())
        return "".join("-" if character == "-" else next(digits) for character in number[:36])

    def _digest(self, name: str) -> bytes:
        return hmac.new(self._key, encode(name), hashlib.sha256).digest()

    def knows(self, name: str) -> bool:
        """Whether the kind of a name is known."""
        return name in self._kinds
