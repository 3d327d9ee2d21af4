"""An insurer checks its statements in some 150 lines: recomputes each from its own topic alone, and answers.

    [HUZHU_PREFIX=wuxi.] python insurer_statements.py BOOTSTRAP INSURER [orders] [answer=VERSION]

Says a line for each statement. With `orders` the lead of a treaty also compares the lines with the orders that it was
given. With `answer=1` it writes what it found to insurance.answers: confirmed, or disputed with reasons. The same
answer twice is one answer; a changed one needs a higher version. Exit status 1 if it disputes anything.
"""

import hashlib
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

bootstrap, insurer, *options = sys.argv[1:]
prefix = os.environ.get("HUZHU_PREFIX", "")
version = next((int(each.removeprefix("answer=")) for each in options if each.startswith("answer=")), 0)
Json = dict[str, Any]
Faults = list[tuple[int, str]]  # the number of the line, 0 for the whole statement; and what is wrong


def messages(topic: str) -> Iterator[Json]:
    """All that was sent to a topic so far, from the beginning: a partition is in order, and a key in one partition."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False)
    for number in sorted(consumer.partitions_for_topic(topic) or sys.exit(f"there is no topic {topic}")):
        place = TopicPartition(topic, number)
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        end = consumer.end_offsets([place])[place]
        while consumer.position(place) < end:
            yield from (json.loads(each.value) for each in consumer.poll(timeout_ms=1000).get(place, ()))
    consumer.close()


def fen(yuan: str) -> int:
    return int(yuan.replace(".", ""))  # always two decimals


def net_of(lines: list[Json]) -> int:
    return sum(fen(each["amount"]) if each["kind"] == "payment" else -fen(each["amount"]) for each in lines)


def alloc(total: int, shares: list[Fraction]) -> list[int]:
    """Whole fen of each share; those left over go one each to the largest remainders, ties in order."""
    if total < 0:
        return [-part for part in alloc(-total, shares)]
    parts = [int(total * share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda place: parts[place] - total * shares[place])  # stable
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


def borne(total: int, statement: Json) -> list[int]:
    """What is borne when so much was paid in all: by each insurer with a share, and last by the stop-loss."""
    shares, terms, ceded = [Fraction(each["share"]) for each in statement["shares"]], statement["stop_loss"], 0
    if terms is not None:
        over = min(fen(terms["limit"]), max(0, total - fen(terms["attachment"])))
        ceded = int(Fraction(terms["share"]) * over + Fraction(1, 2))  # half up
    return [a - b for a, b in zip(alloc(total, shares), alloc(ceded, shares), strict=True)] + [ceded]


def chain_faults(statement: Json, last: Json | None) -> Faults:
    """Months have to follow each other, under the same terms."""
    if last is None:
        return [] if statement["number"] == 1 and fen(statement["cum_before"]) == 0 else [(0, "the first is missing")]
    following = (date.fromisoformat(last["month"] + "-01") + timedelta(days=31)).isoformat()[:7]
    wanted = {"number": last["number"] + 1, "month": following, "cum_before": last["cum"]}
    wanted |= {name: last[name] for name in ("treaty_sha256", "shares", "stop_loss", "lead")}
    return [(0, f"{name} does not follow") for name, value in wanted.items() if statement[name] != value]


def line_faults(statement: Json, lines: list[Json], seen: dict[str, str]) -> Faults:
    """Each instruction is a line of one month, and what reports and corrections speak of was a line before."""
    found: Faults = []
    text = "".join(json.dumps(each, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n" for each in lines)
    if hashlib.sha256(text.encode()).hexdigest() != statement["lines_sha256"]:
        found.append((0, "lines_sha256 is not that of the lines"))
    if [each["line"] for each in lines] != list(range(1, statement["lines"] + 1)):
        found.append((0, "the lines are not numbered from 1 to the last"))
    for each in lines:
        new, month, name = each["entry"] == "instruction", statement["month"], each["payout_id"]
        first = seen.setdefault(name, month) if new else seen.get(name)
        if (first == month) is not new or first is None:
            found.append((each["line"], f"is a line of {first or 'no month'}"))
    corrected = [each for each in lines if each["corrects"] is not None and each["corrects"] not in seen]
    return found + [(each["line"], "corrects what was never a line") for each in corrected]


def sum_faults(statement: Json, lines: list[Json]) -> Faults:
    """What the statement says, beside what follows from its lines and its terms."""
    ordered = [each for each in lines if each["entry"] == "instruction"]
    before, net, terms = fen(statement["cum_before"]), net_of(ordered), statement["stop_loss"]
    *parts, cession = [a - b for a, b in zip(borne(before + net, statement), borne(before, statement), strict=True)]
    due = {each["insurer"]: [part, 0] for each, part in zip(statement["shares"], parts, strict=True)}
    if terms is not None:
        due[terms["insurer"]] = [due.get(terms["insurer"], [0])[0], cession]
    pairs = {name: (fen(statement[name]), value) for name, value in (("net", net), ("cum", before + net))}
    pairs["cession"] = fen(statement["cession"]), cession
    pairs["payouts"] = len({each["payout_id"] for each in ordered}), statement["lines"] - statement["reports"]
    pairs["parts"] = {each["insurer"]: [fen(each["part"]), fen(each["cession"])] for each in statement["parts"]}, due
    pairs["part"] = [fen(statement["part"]), fen(statement["part_of_cession"])], due.get(insurer)
    for name, of in (("by_scheme", "scheme_id"), ("by_state", "state")):
        groups = {each[of]: [line for line in ordered if line[of] == each[of]] for each in ordered}
        sums = {group: [len(inside), net_of(inside)] for group, inside in groups.items()}
        pairs[name] = {each[of]: [each["lines"], fen(each["net"])] for each in statement[name]}, sums
    return [(0, f"{name} is {says}, but {ours} follows (fen)") for name, (says, ours) in pairs.items() if says != ours]


def order_faults(lines: list[Json], orders: dict[str, Json]) -> Faults:
    """The lines that are not as the lead was ordered."""
    names = ("kind", "amount", "claim_id", "scheme_id", "tier", "payee")
    wrong = [each for each in lines if any(each[name] != orders.get(each["payout_id"], {}).get(name) for name in names)]
    return [(each["line"], "is not as it was ordered") for each in wrong]


def answer(statement: Json, faults: Faults) -> Json:
    """The event. A dispute names its lines, unless something is wrong with the statement as a whole."""
    of_lines: dict[int, list[str]] = defaultdict(list)
    for line, text in faults:
        of_lines[line].append(text)
    event = {"event_type": "statement.answered", "event_id": f"answer-{statement['statement_id']}-{version}"}
    event |= {"occurred_at": datetime.now(UTC).isoformat(), "source": insurer, "insurer_id": insurer}
    event |= {"statement_id": statement["statement_id"], "version": version}
    if 0 in of_lines:
        return event | {"verdict": "disputed", "reasons": [f"line {line}: {text}" for line, text in faults]}
    reasons = ["; ".join(texts) for texts in of_lines.values()]
    return event | {"verdict": "disputed" if faults else "confirmed", "lines": list(of_lines), "reasons": reasons}


producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
with_orders, any_fault = "orders" in options, False
orders = (
    {each["payout_id"]: each for each in messages(f"{prefix}payouts.instructions.{insurer}")} if with_orders else {}
)
last: dict[str, Json] = {}  # the newest statement of each treaty
seen: dict[str, dict[str, str]] = defaultdict(dict)  # of each treaty the payouts and their months
waiting: dict[str, list[Json]] = defaultdict(list)  # lines come before their statement
for message in messages(f"{prefix}insurance.statements.{insurer}"):
    if message["event_type"] == "statement.lines":
        waiting[message["statement_id"]] += message["lines"]
    elif message["event_type"] == "statement.issued":
        lines, treaty = waiting.pop(message["statement_id"], []), message["treaty_id"]
        faults = chain_faults(message, last.get(treaty)) + line_faults(message, lines, seen[treaty])
        faults += sum_faults(message, lines)
        faults += order_faults(lines, orders) if with_orders and message["lead"] == insurer else []
        last[treaty], any_fault = message, any_fault or bool(faults)
        told = " ".join(f"{name} {message[name]}" for name in ("month", "lines", "net", "part", "part_of_cession"))
        sys.stdout.write(f"{treaty} {told}: {'disputed' if faults else 'confirmed'}\n")
        sys.stdout.writelines(f"  line {line or '-'}: {text}\n" for line, text in faults)
        if version:
            value = json.dumps(answer(message, faults)).encode()
            producer.send(f"{prefix}insurance.answers", key=insurer.encode(), value=value).get(timeout=60)
sys.exit(any_fault)
