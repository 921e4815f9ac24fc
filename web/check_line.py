#!/usr/bin/env python3
"""核对自己的录取记录：核对码 + 公布的总码。 Check your own line against the published root.

    python check_line.py CODE ROOT

CODE 是保存了核对码的文件；写 - 则从键盘粘贴。ROOT 是公示页上的总码（64 位）。
CODE is a file that holds your code (核对码); - reads what you paste.  ROOT stands on the public page.

只用 Python 标准库，不联网。 Standard library only; it never goes online.
结果 / exit status: 0 一致 matches · 1 不一致 differs · 2 看不懂 unreadable
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

HEX = re.compile(r"[0-9a-f]{64}")
STEP = re.compile(r"[LR][0-9a-f]{64}")


def read(text: str) -> tuple[dict[str, object], bytes, list[str]]:
    """The row, salt and path of a code; line breaks of a printed page do not matter.

    Raises
    ------
    ValueError
        If it is no code.
    """
    code = json.loads(re.sub(r"[\r\n]+\s*", "", text))
    row, salt, path = code["row"], bytes.fromhex(code["salt"]), code["path"]
    if not isinstance(row, dict) or not isinstance(path, list):
        raise ValueError("row, path")
    if not all(isinstance(step, str) and STEP.fullmatch(step) for step in path):
        raise ValueError("path")
    return row, salt, path


def root_of(row: dict[str, object], salt: bytes, path: list[str]) -> str:
    """The root to which a line leads, in hex."""
    text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    value = hashlib.sha256(b"\x00" + salt + text).digest()
    for step in path:
        other = bytes.fromhex(step[1:])
        pair = other + value if step[0] == "L" else value + other
        value = hashlib.sha256(b"\x01" + pair).digest()
    return value.hex()


def main(arguments: list[str]) -> int:
    """Run the command line."""
    if len(arguments) != 2:
        print(__doc__)
        return 2
    try:
        text = (
            sys.stdin.read()
            if arguments[0] == "-"
            else Path(arguments[0]).read_text(encoding="utf-8-sig")
        )
        row, salt, path = read(text)
        root = arguments[1].strip().lower()
        if not HEX.fullmatch(root):
            raise ValueError("root")
    except (OSError, ValueError, LookupError, TypeError) as error:
        print(f"看不懂 / unreadable: {error}", file=sys.stderr)
        return 2
    for name, value in row.items():
        print(f"  {name}: {'—' if value in ('', None) else value}")
    if root_of(row, salt, path) == root:
        print(
            "一致：您的这一行在公布的结果里。 Matches: this line is part of the published result."
        )
        return 0
    print("不一致：核对码或总码有误，请向复核窗口反映。 Differs: report it to the recheck desk.")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
