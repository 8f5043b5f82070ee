from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path

import pytest

from core.errors import BadInput
from desk.importing import read_contacts


def test_jsonl_brings_whole_conversations(tmp_path: Path) -> None:
    file = tmp_path / "contacts.jsonl"
    contact = {
        "id": "t1",
        "channel": "chat",
        "customer": {"name": "Ada", "status": "vip"},
        "messages": [
            {"role": "customer", "text": "Where is it?", "at": "2026-05-01T10:00:00"},
            {"role": "agent", "text": "On its way."},
        ],
    }
    file.write_text(json.dumps(contact) + "\n\n" + json.dumps({"text": "Hello?"}))
    first, second = read_contacts(file)
    assert [m.speaker for m in first.messages] == ["customer", "agent"]
    assert first.messages[0].at is not None
    assert first.messages[0].at.tzinfo is not None
    assert (first.customer_status, first.external_id) == ("vip", "t1")
    assert second.messages[0].text == "Hello?"


def test_csv_takes_one_message_a_row(tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text('id,name,email,text\n7,Ada,ada@example.com,"Where, please, is it?"\n')
    (contact,) = read_contacts(file)
    assert contact.messages[0].text == "Where, please, is it?"
    assert (contact.origin, contact.external_id) == ("csv", "7")


def test_mbox_takes_the_plain_text_or_reads_the_html(tmp_path: Path) -> None:
    plain, html = EmailMessage(), EmailMessage()
    plain["From"], plain["Subject"] = "Ada <ada@example.com>", "Überfällig"
    plain["Message-ID"], plain["Date"] = "<1@example.com>", "Mon, 04 May 2026 12:00:00 +0200"
    plain.set_content("Where is it?")
    html["From"] = "bob@example.com"
    html.set_content("<p>Where is <b>mine</b>?</p>", subtype="html")
    file = tmp_path / "box.mbox"
    file.write_bytes(b"".join(b"From x\n" + bytes(mail) + b"\n" for mail in (plain, html)))
    first, second = read_contacts(file)
    assert (first.subject, first.customer_email) == ("Überfällig", "ada@example.com")
    assert first.external_id == "<1@example.com>"
    assert "mine" in second.messages[0].text
    assert "<" not in second.messages[0].text


def test_a_zendesk_export_keeps_public_comments_and_tells_who_spoke(tmp_path: Path) -> None:
    ticket = {
        "id": 35,
        "subject": "Refund",
        "description": "Where is my refund?",
        "requester_id": 1,
        "requester": {"id": 1, "name": "Ada", "email": "ada@example.com"},
        "tags": ["vip"],
        "via": {"channel": "chat"},
        "comments": [
            {"author_id": 1, "body": "Where is my refund?", "created_at": "2026-05-01T10:00:00Z"},
            {"author_id": 9, "body": "We are looking.", "created_at": "2026-05-01T11:00:00Z"},
            {"author_id": 9, "body": "internal: odd customer", "public": False},
        ],
    }
    file = tmp_path / "export.json"
    file.write_text(json.dumps({"tickets": [ticket]}))
    (contact,) = read_contacts(file)
    assert [(m.speaker, m.text) for m in contact.messages] == [
        ("customer", "Where is my refund?"),
        ("agent", "We are looking."),
    ]
    assert (contact.channel, contact.customer_status, contact.external_id) == ("chat", "vip", "35")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl", '{"text": "hi"}\n{oops', r"a\.jsonl:2: not valid JSON"),
        ("a.jsonl", '{"text": "hi", "channel": "fax"}', r"a\.jsonl:1: channel"),
        ("a.jsonl", '{"messages": []}', r"a\.jsonl:1: messages: needs at least one"),
        ("a.jsonl", "[1]", r"a\.jsonl:1: must be an object"),
        ("a.jsonl", "\n", "holds no contact"),
        ("a.csv", "id,body\n1,hi\n", r"a\.csv:1: the header needs a column 'text'"),
        ("a.csv", "text\n\n  \n", "holds no contact|needs at least one|text"),
        ("a.json", '{"tickets": 3}', "needs a list of tickets"),
        ("a.json", '{"tickets": [{"id": 3}]}', "ticket 3: has neither a description"),
        ("a.txt", "hello", r"cannot import \.txt"),
        ("a.jsonl", b"\xff\xfe\x00", "not UTF-8 at byte 0"),
    ],
)
def test_bad_files_are_named_with_line_and_field(
    tmp_path: Path, name: str, content: str | bytes, says: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput, match=says):
        read_contacts(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no such file"):
        read_contacts(tmp_path / "none.csv")
