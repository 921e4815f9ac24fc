"""Personal information: what is encrypted stays where it was put, what is shown is masked."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from web import privacy
from web.privacy import Keys, MissingKeys

PLACE = "person.number:abc"


@pytest.mark.parametrize("text", ["371099201012240018", "", "𠮷野𬭎", "a" * 500])
def test_what_was_encrypted_is_read_again(app: Flask, text: str) -> None:
    with app.app_context():
        held = privacy.encrypt(text, PLACE)
        assert privacy.decrypt(held, PLACE) == text
        assert not text or text.encode() not in held
        assert held != privacy.encrypt(text, PLACE)


def test_it_cannot_be_read_in_another_place_or_altered(app: Flask) -> None:
    with app.app_context():
        held = privacy.encrypt("371099201012240018", PLACE)
        with pytest.raises(InvalidTag):
            privacy.decrypt(held, "person.number:other")
        with pytest.raises(InvalidTag):
            privacy.decrypt(held[:-1] + bytes([held[-1] ^ 1]), PLACE)


def test_nothing_stored_is_nothing(app: Flask) -> None:
    with app.app_context():
        assert privacy.decrypt(b"", PLACE) == ""


def test_older_keys_read_on_after_a_change(app: Flask) -> None:
    with app.app_context():
        old = privacy.encrypt("secret", PLACE)
        held = privacy.keys()
        changed = Keys(
            held.session, held.password_salt, held.totp, held.index, held.pseudonym, "k2",
            {**held.ciphers, "k2": b"2" * 32},
        )  # fmt: skip
        app.extensions["orderclass_keys"] = changed
        new = privacy.encrypt("secret", PLACE)
        assert new.startswith(b"aes-256-gcm:k2:") and old.startswith(b"aes-256-gcm:k1:")
        assert privacy.decrypt(old, PLACE) == privacy.decrypt(new, PLACE) == "secret"


def test_one_person_is_one_pseudonym_in_a_year(app: Flask) -> None:
    with app.app_context():
        one = privacy.pseudonym(2026, "371099201012240018")
        assert one == privacy.pseudonym(2026, "371099201012240018")
        assert one != privacy.pseudonym(2027, "371099201012240018")
        assert one != privacy.pseudonym(2026, "371099201012240026")
        assert len(one) == 20 and "3710" not in one
        assert privacy.number_index("371099201012240018") != one


def test_keys_are_their_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "k.toml"
    Keys.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = Keys.read(path)
    with pytest.raises(FileExistsError):
        Keys.create(path)
    assert Keys.read(path) == first
    assert len({first.session, first.password_salt, first.totp}) == 3


@pytest.mark.parametrize("content", [None, "", "session = 'a'\n", "not toml ="])
def test_missing_keys_are_said(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "k.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(MissingKeys, match="init-db"):
        Keys.read(path)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("张小三", "张*三"),
        ("欧阳丽", "欧阳*"),
        ("欧阳小丽", "欧阳*丽"),
        ("𠮷野", "𠮷*"),
        ("𠮷野家", "𠮷*家"),
        ("王", "王*"),
        (" 李四 ", "李*"),
        ("阿迪力·买买提", "阿迪****提"),
        ("Smith John", "S***"),
        ("", ""),
    ],
)
def test_names_are_masked(name: str, masked: str) -> None:
    assert privacy.mask_name(name) == masked


@given(st.text(st.characters(categories=["L"]), min_size=2, max_size=12))
def test_a_mask_always_hides_something(name: str) -> None:
    masked = privacy.mask_name(name)
    assert "*" in masked and name not in masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [("371099201012240018", "3710**********0018"), ("E12345678", "E123*5678"), ("1234", "****")],
)
def test_document_numbers_are_masked(number: str, masked: str) -> None:
    assert privacy.mask_number(number) == masked


@pytest.mark.parametrize(("number", "masked"), [("13812345678", "138****5678"), ("12333", "****")])
def test_telephones_are_masked(number: str, masked: str) -> None:
    assert privacy.mask_telephone(number) == masked
