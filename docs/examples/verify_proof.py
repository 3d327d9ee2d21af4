"""Verifies what `huzhu audit prove` wrote, using only Python's standard library (3.10 or newer).

    python3 verify_proof.py proof.json --key huzhu.pub [--kept checkpoint.txt]

PROOF   the proof: a payout's audit entry, the instruction, and the hashes up to a signed checkpoint
--key   the public key, one line NAME+ID+BASE64; get it from the finance office, not with the proof
--kept  checkpoints that you kept yourself; shows that the log still continues from them

Exit status 0: proven. 3: not proven, and why. 2: a file cannot be used. Read this script: it is short on purpose. It
shares no code with Huzhu. References: RFC 8032 (Ed25519), RFC 6962 (Merkle tree), C2SP signed-note.
"""

import argparse
import base64
import hashlib
import json
import sys

# Ed25519, verification only (RFC 8032, 5.1). Slow and not constant in time, which matters only where there is a secret.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def add(a, b):
    """Sum of two points in extended coordinates (X, Y, Z, T)."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    x, y, z, t = f - e, h - g, h + g, f + e
    return x * y % P, z * t % P, y * z % P, x * t % P


def times(number, point):
    """A point, added to itself ``number`` times."""
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, point)
        point = add(point, point)
        number >>= 1
    return total


def point_of(data):
    """The point that 32 bytes encode; None if they encode none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if len(data) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signature(public, message, signature):
    """Whether 64 bytes are the signature of a message under a public key of 32 bytes."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = point_of(public), point_of(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    a, b = times(s, BASE), add(commitment, times(h, key))
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


# The Merkle tree (RFC 6962, 2.1; verification as in RFC 9162, 2.1.3.2 and 2.1.4.2).
def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaf, index, size, path):
    """The root that a path leads to from a leaf; None if the path has the wrong length."""
    last = size - 1
    for other in path:
        if last == 0:
            return None
        if index % 2 or index == last:
            leaf = node(other, leaf)
            while index and index % 2 == 0:
                index, last = index // 2, last // 2
        else:
            leaf = node(leaf, other)
        index, last = index // 2, last // 2
    return leaf if last == 0 else None


def continues(old, old_root, new, new_root, path):
    """Whether the tree of `new` entries begins with the tree of `old` entries."""
    if old == new:
        return not path and old_root == new_root
    if not 0 < old < new:
        return False
    path = [old_root, *path] if old & (old - 1) == 0 else path
    if not path:
        return False
    index, last = old - 1, new - 1
    while index % 2:
        index, last = index // 2, last // 2
    before = after = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if index % 2 or index == last:
            before, after = node(other, before), node(other, after)
            while index and index % 2 == 0:
                index, last = index // 2, last // 2
        else:
            after = node(after, other)
        index, last = index // 2, last // 2
    return last == 0 and before == old_root and after == new_root


class NotProven(Exception):
    """The proof does not hold, and why."""


def demand(holds, zh, en):
    if not holds:
        raise NotProven(f"{zh}\n{en}")


def read_key(text):
    """Name, key id (4 bytes) and public key of a line NAME+ID+BASE64. Raises ValueError."""
    name, key_id, encoded = text.strip().split("+", 2)
    data = base64.b64decode(encoded, validate=True)
    if data[:1] != b"\x01" or len(data) != 33:
        raise ValueError("not an Ed25519 key")
    if hashlib.sha256(name.encode() + b"\n" + data).digest()[:4] != bytes.fromhex(key_id):
        raise ValueError("the key id does not belong to the key")
    return name, bytes.fromhex(key_id), data[1:]


def notes_in(text):
    """The checkpoints of a text: each has an empty line inside, and one between it and the next."""
    parts = text.strip("\n").split("\n\n")
    return [f"{body}\n\n{signatures}\n" for body, signatures in zip(parts[::2], parts[1::2], strict=True)]


def checked_note(note, keys):
    """Shard, size, root and time of a checkpoint that one of the keys has signed."""
    text, _, lines = note.partition("\n\n")
    text += "\n"
    origin, size, root, time = text.splitlines()
    log, _, shard = origin.rpartition("/shard/")
    for line in lines.splitlines():
        dash, signer, encoded = line.split(" ")
        data = base64.b64decode(encoded, validate=True)
        for name, key_id, public in keys:
            known = (dash, signer, data[:4]) == ("—", name, key_id) and log == name
            if known and is_signature(public, text.encode(), data[4:]):
                return int(shard), int(size), base64.b64decode(root, validate=True), time.split(" ", 1)[1]
    raise NotProven("检查点不是由所给公钥签名的\nthe checkpoint was not signed with the key that was given")


def verify(proof, keys, kept=None):
    """Returns what is proven, as text; raises NotProven."""
    demand(proof["format"] == "huzhu.audit.proof/1", "不是本程序认识的证明格式", "this is another format of proof")
    shard, size, root, time = checked_note(proof["checkpoint"], keys)
    entry = json.loads(proof["entry"])
    demand(entry["shard"] == shard, "条目不属于检查点的分片", "the entry is of another shard than the checkpoint")
    demand(entry["seq"] == proof["index"] + 1, "条目的序号与位置不符", "the entry's number is not its place")
    demand(proof["size"] == size, "证明的条目数与检查点不符", "the proof is for another size than the checkpoint")
    demand(0 <= proof["index"] < size, "条目在检查点之后", "the entry is newer than the checkpoint")
    leaf = hashlib.sha256(b"\x00" + proof["entry"].encode()).digest()
    path = [bytes.fromhex(each) for each in proof["path"]]
    demand(
        root_of(leaf, proof["index"], size, path) == root, "条目不在签名的日志里", "the entry is not in the signed log"
    )
    content = proof["content"].encode()
    demand(
        hashlib.sha256(content).hexdigest() == entry["content_sha256"],
        "支付指令与审计条目的散列不符",
        "the instruction is not the one that the audit entry has hashed",
    )
    payout = json.loads(content)
    demand(
        entry["kind"] == "payout.instructed"
        and payout["payout_id"] == proof["payout_id"] == entry["subject"]["payout_id"],
        "证明的不是这笔支付",
        "the proof is about another payout",
    )
    if kept is not None:
        of_shard = [each for each in notes_in(kept) if each.splitlines()[0].endswith(f"/shard/{shard}")]
        demand(of_shard, "所存检查点中没有这个分片", "no checkpoint of this shard was kept")
        newest = max(of_shard, key=lambda note: int(note.splitlines()[1]))
        _, kept_size, kept_root, kept_time = checked_note(newest, keys)
        link = proof.get("consistency", {"kept_size": size, "path": []})
        demand(
            link["kept_size"] == kept_size, "证明不是针对所存检查点的", "the proof was not made for the kept checkpoint"
        )
        steps = [bytes.fromhex(each) for each in link["path"]]
        demand(
            continues(kept_size, kept_root, size, root, steps),
            f"日志已不是 {kept_time} 所存检查点的延续",
            f"the log does not continue the checkpoint that was kept at {kept_time}",
        )
    place = f"分片 {shard} 第 {entry['seq']} 条,共 {size} 条,签名于 {time}"
    en = f"entry {entry['seq']} of {size} in shard {shard}, signed at {time}"
    what = f"{payout['kind']} {payout['amount']} yuan, payout {payout['payout_id']}, claim {payout['claim_id']}"
    return f"已证明 / proven: {what}\n{place}\n{en}"


def main():
    arguments = argparse.ArgumentParser(description="Verify a proof that `huzhu audit prove` wrote.")
    arguments.add_argument("proof")
    arguments.add_argument("--key", required=True, help="file with the public key, or several, one a line")
    arguments.add_argument("--kept", help="file with checkpoints that you kept")
    given = arguments.parse_args()
    try:
        with open(given.proof, encoding="utf-8") as file:
            proof = json.load(file)
        with open(given.key, encoding="utf-8") as file:
            keys = [read_key(line) for line in file if line.strip() and not line.startswith("#")]
        kept = None
        if given.kept:
            with open(given.kept, encoding="utf-8", newline="") as file:
                kept = file.read()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"cannot be used: {error}\n")
        return 2
    try:
        sys.stdout.write(verify(proof, keys, kept) + "\n")
    except NotProven as error:
        sys.stderr.write(f"未能证明 / NOT PROVEN\n{error}\n")
        return 3
    except (KeyError, TypeError, ValueError, AttributeError):
        sys.stderr.write("未能证明 / NOT PROVEN\n证明文件不完整\nthe proof or the checkpoint is not complete\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
