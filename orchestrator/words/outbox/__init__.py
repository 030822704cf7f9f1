"""The durable outbox: notices wait here, in the store's file, until they are delivered.

`put` writes in the transaction that keeps the events, so a notice exists exactly if its event
does. A `Sender` sends, outside of any transaction: that a send begins is written down before it,
what came of it after. Whatever stops the sender in between, the next one first asks the service
whether the notice is there (`notifiers.base.Finder`), so it is said exactly once. A service that
cannot be asked may be told twice, with a remark, and never not at all.

Order: replies and alerts of a run go one after the other, a failing one holds up the later ones;
the first reply waits while the run's head has yet to be posted. Heads are edits of one message:
only the newest waiting one is sent. Rate limits are kept by *lanes* that notifiers name
(`Notifier.pace`); when a lane is free again is stored too, so a restart does not forget it.
"""

from __future__ import annotations

from orchestrator.words.outbox.contents import Undelivered, places_waiting, undelivered, waiting
from orchestrator.words.outbox.delivery import BACK_OFF_S, PERHAPS_REPEATED, SETTLE_S
from orchestrator.words.outbox.putting import put
from orchestrator.words.outbox.schema import FROM_VERSION_2, SCHEMA
from orchestrator.words.outbox.sender import Sender, pump

__all__ = [
    "BACK_OFF_S",
    "FROM_VERSION_2",
    "PERHAPS_REPEATED",
    "SCHEMA",
    "SETTLE_S",
    "Sender",
    "Undelivered",
    "places_waiting",
    "pump",
    "put",
    "undelivered",
    "waiting",
]
