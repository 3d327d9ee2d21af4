"""Text files as Chinese offices save them."""

from __future__ import annotations


def decoded(data: bytes) -> str:
    """UTF-8, with or without a byte order mark; else GB 18030, which Chinese spreadsheets write by default.

    Raises UnicodeDecodeError.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")
