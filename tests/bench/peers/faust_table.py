"""Peer (i): a plain Faust agent with a Table, the way Faust's documentation shows it.

At least once. State in memory, backed by Faust's changelog topic; instructions are sent as they come.
"""

from __future__ import annotations

import json
from typing import Any

import faust

from tests.bench.peers import surroundings as here
from tests.bench.peers.rules import decode, new_state, take

app = faust.App(
    here.APP,
    broker=f"aiokafka://{here.BOOTSTRAP}",
    consumer_auto_offset_reset="earliest",
    broker_session_timeout=10,
    broker_heartbeat_interval=3,
    topic_partitions=here.PARTITIONS,
    topic_replication_factor=1,
    topic_disable_leader=True,
    web_enabled=False,
    datadir=here.STATE_FOLDER,
    store="memory://",
)
inbound = app.topic(*here.INBOUND, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
outbound = app.topic(here.OUT, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
accounts = app.Table("accounts", partitions=here.PARTITIONS, key_type=str, value_type=dict)


@app.agent(inbound)
async def decide(stream: Any) -> None:
    async for key, value in stream.items():
        here.begin()
        person_id = key.decode()
        state = accounts.get(person_id) or new_state()
        instructions = take(state, decode(value))
        accounts[person_id] = state
        for instruction in instructions:
            await outbound.send(key=key, value=json.dumps(instruction).encode())


if __name__ == "__main__":
    faust.Worker(app, loglevel="warning").execute_from_commandline()
