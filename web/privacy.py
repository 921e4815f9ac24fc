"""Personal information: keys, encryption, pseudonyms, and the one policy of masking.

Keys lie in ``keys.toml`` of the instance folder (mode 0600), outside the database, so that neither a
copy of the database nor a backup of it tells a document number.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app

CIPHER = "aes-256-gcm"
PSEUDONYM_LENGTH = 20
_COMPOUND = (
    "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台"
    "皇甫宗政濮阳公冶太叔申屠公孙慕容仲孙钟离长孙宇文司徒鲜于司空闾丘"
    "司寇公西令狐段干百里呼延东郭南门西门左丘梁丘拓跋轩辕"
)
COMPOUND_SURNAMES = frozenset(_COMPOUND[at : at + 2] for at in range(0, len(_COMPOUND), 2))


class MissingKeys(RuntimeError):
    """There is no ``keys.toml``, or it lacks a key: nothing that is encrypted could be read."""


@dataclass(frozen=True)
class Keys:
    """The secrets of an installation.

    ``ciphers`` holds every key by its id, so that keys can be changed without losing what older ones
    encrypted; ``current`` names the one that encrypts.
    """

    session: str
    password_salt: str
    totp: str
    index: bytes
    pseudonym: bytes
    current: str
    ciphers: Mapping[str, bytes]

    @classmethod
    def read(cls, path: Path) -> Keys:
        """The keys of a file.

        Raises
        ------
        MissingKeys
            If the file is absent or incomplete.
        """
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls(
                found["session"],
                found["password_salt"],
                found["totp"],
                base64.b64decode(found["index"]),
                base64.b64decode(found["pseudonym"]),
                found["current"],
                {name: base64.b64decode(key) for name, key in found["ciphers"].items()},
            )
        except (OSError, KeyError, ValueError) as error:
            raise MissingKeys(
                f"密钥文件 {path.name} 缺失或不完整；新系统请先运行 flask --app web init-db。"
                f" The key file {path.name} is missing or incomplete ({error})."
            ) from error

    @staticmethod
    def create(path: Path) -> None:
        """Write new keys, readable by their owner only; never over a file that exists."""
        secret = {name: _random() for name in ("session", "password_salt", "totp", "index")}
        lines = [f'{name} = "{value}"' for name, value in secret.items()]
        lines += [f'pseudonym = "{_random()}"', 'current = "k1"', "", "[ciphers]"]
        lines += [f'k1 = "{_random()}"', ""]
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))


def _random() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def keys() -> Keys:
    """The keys of the running application."""
    found: Keys = current_app.extensions["orderclass_keys"]
    return found


def encrypt(text: str, place: str) -> bytes:
    """The text under the current key, bound to its ``place`` (table, column and row's index)."""
    held = keys()
    nonce = secrets.token_bytes(12)
    body = AESGCM(held.ciphers[held.current]).encrypt(nonce, text.encode(), place.encode())
    head = f"{CIPHER}:{held.current}:".encode()
    return head + nonce + body


def decrypt(stored: bytes, place: str) -> str:
    """What was encrypted at that place; blank for what was never stored.

    Raises
    ------
    cryptography.exceptions.InvalidTag
        If it was moved from another row, or altered.
    """
    if not stored:
        return ""
    _, key, rest = stored.split(b":", 2)
    nonce, body = rest[:12], rest[12:]
    return AESGCM(keys().ciphers[key.decode()]).decrypt(nonce, body, place.encode()).decode()


def number_index(number: str) -> str:
    """A keyed hash by which a document number is found, and which tells nothing of it."""
    return hmac.new(keys().index, number.encode(), hashlib.sha256).hexdigest()


def pseudonym(year: int, number: str) -> str:
    """What stands for a person in every round of an enrolment year: one person, one pseudonym."""
    year_key = hmac.new(keys().pseudonym, str(year).encode(), hashlib.sha256).digest()
    mark = hmac.new(year_key, number.encode(), hashlib.sha256).digest()
    return base64.b32encode(mark).decode()[:PSEUDONYM_LENGTH]


def mask_name(name: str) -> str:
    """A name as public lists show it: 张*, 张*三, 欧阳*丽, and of a Latin name its first letter."""
    name = name.strip()
    if not name:
        return ""
    if name.isascii():
        return f"{name[0]}***"
    if len(name) <= 2:
        return f"{name[0]}*"
    head = name[:2] if len(name) > 3 or name[:2] in COMPOUND_SURNAMES else name[0]
    if len(name) == 3 and len(head) == 2:
        return f"{head}*"
    return f"{head}{'*' * (len(name) - len(head) - 1)}{name[-1]}"


def mask_number(number: str) -> str:
    """A document number as staff see it: first and last four characters."""
    return f"{number[:4]}{'*' * (len(number) - 8)}{number[-4:]}" if len(number) > 8 else "****"


def mask_telephone(number: str) -> str:
    """A telephone number as staff see it: 138****5678."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 8 else "****"
