#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starts Samples/ClassifyServer and asks it for what Docs/SERVERS.md promises: classes of an image, many callers
at once, the status of bad requests, its metrics, and an end without an error after SIGTERM.

    tools/check_server.py SERVER MUXNET

SERVER is the built ClassifyServer, MUXNET the program that makes a model for it. It ends with 1 where something
came otherwise.
"""
import concurrent.futures
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zlib


def png(width, height):
    """A grey picture as the bytes of a PNG file."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes((x * 7 + y * 13) % 256 for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def ask(address, path, body=None):
    """The status of an answer and its text."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address + path, data=body), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def need(isMet, what):
    if not isMet:
        raise AssertionError(what)


def check(address):
    picture = png(40, 30)
    need(ask(address, "health") == (200, "ok\n"), "/health")
    status, text = ask(address, "classify?top=3", picture)
    need(status == 200, f"/classify: {status} {text}")
    guesses = json.loads(text)["guesses"]
    need(len(guesses) == 3 and guesses[0]["probability"] >= guesses[2]["probability"] > 0, f"/classify: {text}")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(address, "classify?top=3", picture), range(64)))
    need(all(answer == (200, text) for answer in answers), "64 calls at once have other answers")
    for path, body, wanted in [
        ("classify", b"no picture", 400), ("classify", b"", 400), ("classify", picture[:60], 400),
        ("classify?top=-1", picture, 400), ("classify", bytes(200_001), 413), ("detect", picture, 404),
        ("nowhere", picture, 404),
    ]:
        status, text = ask(address, path, body)
        need(status == wanted, f"/{path} of {len(body)} bytes: {status} instead of {wanted}: {text}")
        if path != "nowhere":
            need(json.loads(text)["error"], f"/{path}: {text}")
    status, text = ask(address, "metrics")
    for line in ('answers_total{status="200"} 65', 'answers_total{status="400"} 4', "pool_waiting 0"):
        need(status == 200 and line in text.splitlines(), f"/metrics lacks {line}:\n{text}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    server, muxnet = map(os.path.abspath, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/m.muxnet"
        for words in (["muxnet_xs", f"{folder}/m.safetensors", "--random-weights"],
                      [f"{folder}/m.safetensors", model, "--to", "runtime"]):
            subprocess.run([muxnet, "convert", *words], check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        for words, code in (([], 64), ([model, "--engines", "0"], 64), ([f"{folder}/none"], 1)):
            outcome = subprocess.run([server, *words], capture_output=True, text=True, timeout=60)
            need(outcome.returncode == code and outcome.stderr, f"{words}: {outcome}")
        process = subprocess.Popen([server, model, "--port", "0", "--engines", "2", "--most-bytes", "200000"],
                                   stdout=subprocess.PIPE, text=True)
        try:
            line = process.stdout.readline()
            need(line.startswith("ready at "), f"it said {line!r}")
            check(line.split()[-1])
            process.send_signal(signal.SIGTERM)
            need(process.wait(timeout=60) == 0, f"it ended with {process.returncode}")
        finally:
            process.kill()
    print("ok: classes, 64 calls at once, 7 bad requests, metrics, the end")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as error:
        sys.exit(f"FAILED: {error}")
