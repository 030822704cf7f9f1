"""The outbox's tables, in the store's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

SCHEMA = """
create table if not exists outbox (
    id integer primary key,
    notifier text not null,
    run text not null,
    topic text not null,
    key text not null,
    notice text not null,
    place integer not null default 0,
    due_ms integer not null default 0,
    tries integer not null default 0,
    state text not null default 'queued'
        check (state in ('queued', 'sent', 'superseded', 'failed')),
    error text,
    begun_ms integer,
    not_before_ms integer not null default 0,
    unique (notifier, key)
);
create index if not exists outbox_queued on outbox (notifier, run) where state = 'queued';
create table if not exists address (
    notifier text not null,
    run text not null,
    address text not null,
    primary key (notifier, run)
);
create table if not exists lane (
    lane text primary key,
    free_ms integer not null
);
"""
"""`place`: the turn among the waiting; a head inherits it from the one that it supersedes.
`begun_ms`: when a send began of which it is not known whether it arrived."""

FROM_VERSION_2 = """
alter table outbox add column begun_ms integer;
alter table outbox add column not_before_ms integer not null default 0
"""
"""For a file that a store of version 1 or 2 made."""


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
