"""Reads contacts from files: JSONL, CSV, mbox, Zendesk exports."""

from __future__ import annotations

import csv
import io
import json
import mailbox
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError

from core.errors import BadInput
from core.vocabulary import Channel, Speaker
from desk.contacts import NewContact, NewMessage
from kb.markup import html_to_body, plain_text

CSV_COLUMNS: Final = ("id", "channel", "subject", "name", "email", "status", "text", "at")


class _MessageLine(BaseModel):
    role: Speaker = "customer"
    text: str = Field(min_length=1)
    at: datetime | None = None


class _CustomerLine(BaseModel):
    name: str = ""
    email: str = ""
    status: Literal["standard", "vip"] = "standard"
    fields: dict[str, str] = {}


class _ContactLine(BaseModel):
    """One line of JSONL. ``text`` is short for one message of the customer."""

    id: str | None = None
    channel: Channel = "email"
    subject: str = ""
    customer: _CustomerLine = _CustomerLine()
    messages: list[_MessageLine] = []
    text: str = ""


def read_contacts(path: Path) -> list[NewContact]:
    """Return the contacts in ``path``; its ending says what it is.

    ``.jsonl`` (one contact a line, or one Zendesk ticket a line), ``.json`` (a Zendesk export),
    ``.csv`` (columns ``text`` and any of ``id channel subject name email status at``), ``.mbox``.

    Raises:
        BadInput: Names file, line and field. Nothing is returned of a file that is partly wrong.
    """
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file.")
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            contacts = [_from_object(path, line, value) for line, value in _json_lines(path)]
        case ".json":
            contacts = _from_zendesk_export(path)
        case ".csv":
            contacts = list(_from_csv(path))
        case ".mbox":
            contacts = list(_from_mbox(path))
        case other:
            raise BadInput(
                f"{path}: cannot import {other or 'a file without ending'}; use .jsonl, .json, .csv or .mbox."
            )
    if not contacts:
        raise BadInput(f"{path}: holds no contact.")
    return contacts


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8.") from None


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(_text_of(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadInput(f"{path}:{number}: not valid JSON: {error.msg}.") from None
        if not isinstance(value, dict):
            raise BadInput(f"{path}:{number}: must be an object, one contact a line.")
        yield number, value


def _from_object(path: Path, line: int, value: dict[str, Any]) -> NewContact:
    if "description" in value and "messages" not in value:
        return _from_ticket(path, line, value)
    try:
        parsed = _ContactLine.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path}:{line}: {field}: {first['msg']}.") from None
    messages = [NewMessage(m.role, m.text, _aware(m.at)) for m in parsed.messages]
    if parsed.text:
        messages.append(NewMessage("customer", parsed.text))
    if not any(message.speaker == "customer" and message.text.strip() for message in messages):
        raise BadInput(f"{path}:{line}: messages: needs at least one message from the customer.")
    return NewContact(
        channel=parsed.channel,
        subject=parsed.subject,
        customer_name=parsed.customer.name,
        customer_email=parsed.customer.email,
        customer_status=parsed.customer.status,
        customer_fields=parsed.customer.fields,
        messages=messages,
        origin="jsonl",
        external_id=parsed.id,
    )


def _from_csv(path: Path) -> Iterator[NewContact]:
    rows = csv.DictReader(io.StringIO(_text_of(path)))
    columns = rows.fieldnames or []
    if "text" not in columns:
        raise BadInput(
            f"{path}:1: the header needs a column 'text'; known are {', '.join(CSV_COLUMNS)}."
        )
    for row in rows:
        value = {
            "id": row.get("id") or None,
            "channel": row.get("channel") or "email",
            "subject": row.get("subject") or "",
            "customer": {
                "name": row.get("name") or "",
                "email": row.get("email") or "",
                "status": row.get("status") or "standard",
            },
            "messages": [{"text": row.get("text") or "", "at": row.get("at") or None}],
        }
        contact = _from_object(path, rows.line_num, value)
        yield replace(contact, origin="csv")


def _from_mbox(path: Path) -> Iterator[NewContact]:
    parser = BytesParser(policy=policy.default)
    box = mailbox.mbox(path, factory=lambda file: parser.parse(file), create=False)  # type: ignore[arg-type, return-value]
    try:
        for number, mail in enumerate(box, start=1):
            yield _from_mail(path, number, mail)
    finally:
        box.close()


def _from_mail(path: Path, number: int, mail: Message) -> NewContact:
    if not isinstance(mail, EmailMessage):
        raise BadInput(f"{path}: message {number} cannot be read.")
    body = mail.get_body(preferencelist=("plain", "html"))
    text = str(body.get_content()).strip() if body else ""
    if body is not None and body.get_content_type() == "text/html":
        text = "\n\n".join(
            plain_text(block) for block in html_to_body(text)[0].split("\n\n")
        ).strip()
    if not text:
        raise BadInput(f"{path}: message {number} has no text.")
    name, address = parseaddr(str(mail.get("From", "")))
    try:
        at = parsedate_to_datetime(str(mail["Date"])) if mail["Date"] else None
    except ValueError:
        raise BadInput(f"{path}: message {number}: Date is not a date.") from None
    return NewContact(
        channel="email",
        subject=str(mail.get("Subject", "")),
        customer_name=name,
        customer_email=address,
        messages=[NewMessage("customer", text, _aware(at))],
        origin="mbox",
        external_id=str(mail["Message-ID"]).strip() if mail["Message-ID"] else None,
    )


def _from_zendesk_export(path: Path) -> list[NewContact]:
    try:
        value = json.loads(_text_of(path))
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}:{error.lineno}: not valid JSON: {error.msg}.") from None
    tickets = value.get("tickets") if isinstance(value, dict) else value
    if not isinstance(tickets, list) or not all(isinstance(ticket, dict) for ticket in tickets):
        raise BadInput(f"{path}: needs a list of tickets, or an object with 'tickets'.")
    return [_from_ticket(path, number, ticket) for number, ticket in enumerate(tickets, start=1)]


def _from_ticket(path: Path, number: int, ticket: dict[str, Any]) -> NewContact:
    where = f"{path}: ticket {ticket.get('id', number)}"
    requester = ticket.get("requester") or {}
    if not isinstance(requester, dict):
        raise BadInput(f"{where}: requester must be an object.")
    messages: list[NewMessage] = []
    for comment in ticket.get("comments") or []:
        if not isinstance(comment, dict):
            raise BadInput(f"{where}: comments must be objects.")
        if comment.get("public") is False:
            continue
        theirs = comment.get("author_id") in (None, ticket.get("requester_id"), requester.get("id"))
        text = str(comment.get("plain_body") or comment.get("body") or "").strip()
        if text:
            speaker: Speaker = "customer" if theirs else "agent"
            messages.append(NewMessage(speaker, text, _moment(where, comment.get("created_at"))))
    if not any(message.speaker == "customer" for message in messages):
        text = str(ticket.get("description") or "").strip()
        if not text:
            raise BadInput(f"{where}: has neither a description nor a comment of its requester.")
        messages.insert(0, NewMessage("customer", text, _moment(where, ticket.get("created_at"))))
    via = (ticket.get("via") or {}).get("channel", "email")
    channels: dict[str, Channel] = {"chat": "chat", "messaging": "chat", "voice": "voice"}
    return NewContact(
        channel=channels.get(str(via), "email"),
        subject=str(ticket.get("subject") or ""),
        customer_name=str(requester.get("name") or ""),
        customer_email=str(requester.get("email") or ""),
        customer_status="vip" if "vip" in (ticket.get("tags") or []) else "standard",
        messages=messages,
        origin="zendesk",
        external_id=str(ticket["id"]) if ticket.get("id") is not None else None,
    )


def _moment(where: str, value: object) -> datetime | None:
    if not value:
        return None
    try:
        return _aware(datetime.fromisoformat(str(value)))
    except ValueError:
        raise BadInput(f"{where}: created_at {value!r} is not an ISO 8601 date.") from None


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
