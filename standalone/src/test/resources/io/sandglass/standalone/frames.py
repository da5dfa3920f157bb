"""Talks to the executor as only the sandbox's first process may, in every wrong way, for some seconds; see docs/security.md."""
import os, socket, struct, threading, time

SOCKET = "/.sandglass/host.sock"
END = time.monotonic() + 6
counts = {"sent": 0, "answers": 0}
lock = threading.Lock()


def frame(kind, payload):
    return kind + struct.pack(">I", len(payload)) + payload


def text(value):
    return struct.pack(">I", len(value)) + value


def hello(token, version=1):
    return frame(b"H", struct.pack(">H", version) + text(b"guest") + text(token))


EXITED = frame(b"X", bytes(27))
NONSENSE = [
    b"",
    b"H",
    b"H\xff\xff\xff\xff",
    frame(b"H", b""),
    frame(b"H", b"\0\1" + struct.pack(">I", 0xFFFFFFFF)),
    frame(b"H", b"\0\1" + text(b"") + text(b"") + b"more"),
    hello(b""),
    hello(b"x" * 64) + EXITED,
    hello(bytes(32), version=65535),
    hello(b"\xff" * 60000),
    EXITED,
    frame(b"O", b"output") * 1000,
    frame(b"R", text(b"exe") + text(b"id")),
    os.urandom(100),
    os.urandom(1 << 20),
    b"\0" * (1 << 20),
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
]


def count(name):
    with lock:
        counts[name] += 1


def talk(said, hold):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(1)
        try:
            s.connect(SOCKET)
            s.sendall(said)
            count("sent")
            if not hold:
                s.shutdown(socket.SHUT_WR)
            if s.recv(1):
                count("answers")
        except OSError:
            pass


def work(number):
    while time.monotonic() < END:
        for said in NONSENSE:
            talk(said, hold=number % 2)


threads = [threading.Thread(target=work, args=(number,)) for number in range(24)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(f"sent: {counts['sent']}\nanswers: {counts['answers']}")
