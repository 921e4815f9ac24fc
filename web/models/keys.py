"""Ids that nobody can guess."""

from __future__ import annotations

import base64
import secrets


def random_key() -> str:
    """80 random bits in base 32."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()
