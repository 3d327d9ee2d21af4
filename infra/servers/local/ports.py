"""Free loopback ports that are likely to be still free when a server binds them seconds later."""

import random
import socket

LOOPBACK = "127.0.0.1"
LOWEST, HIGHEST = 20_000, 32_000
"""Below the range from which Linux (32768-60999) and macOS (49152-65535) take ports for outgoing connections. So no
client takes a port between our check and the server's bind or while a server restarts, and a client that polls a port
without a listener cannot be connected to itself by chance."""


def free_ports(count: int) -> tuple[int, ...]:
    """Different ports that are free at the moment."""
    ports: set[int] = set()
    while len(ports) < count:
        port = random.SystemRandom().randint(LOWEST, HIGHEST)
        if is_free(port):
            ports.add(port)
    return tuple(ports)


def is_free(port: int) -> bool:
    """Whether the port can be bound on the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether a server accepts connections on the port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1.0).close()
    except OSError:
        return False
    return True
