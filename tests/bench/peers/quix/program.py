"""Peer (ii): quixstreams with its state store (RocksDB and a changelog topic), the four topics concatenated.

At least once, which is its default, or exactly once when asked. Runs in an environment of its own.
"""

from __future__ import annotations

from typing import Any

from quixstreams import Application  # type: ignore[import-not-found,unused-ignore]

from tests.bench.peers import surroundings as here
from tests.bench.peers.rules import Event, decode, new_state, take


def decide(value: bytes, state: Any) -> list[Event]:
    here.begin()
    account = state.get("account") or new_state()
    instructions = take(account, decode(value))
    state.set("account", account)
    return instructions


def main() -> None:
    app = Application(
        broker_address=here.BOOTSTRAP,
        consumer_group=here.APP,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once" if here.EXACTLY_ONCE else "at-least-once",
        state_dir=here.STATE_FOLDER,
        auto_create_topics=True,  # its changelog
        loglevel="WARNING",
    )
    first, *others = (
        app.dataframe(app.topic(name, key_deserializer="str", value_deserializer="bytes")) for name in here.INBOUND
    )
    events = first
    for other in others:
        events = events.concat(other)
    instructions = events.apply(decide, stateful=True, expand=True)
    instructions.to_topic(app.topic(here.OUT, key_serializer="str", value_serializer="json"))
    app.run()


if __name__ == "__main__":
    main()
