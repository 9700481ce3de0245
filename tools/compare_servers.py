#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Loads Samples/ClassifyServer and tools/serve_onnx.py in turns, and prints a table.

    tools/compare_servers.py SERVER MODEL.muxnet MODEL.onnx PHOTO.jpg
      [--connections 8,64] [--seconds 10] [--rounds 3] [--python python3] [--server-options='--threads 2']

SERVER is the built ClassifyServer. Both servers stay up all the time; wrk (which must be installed)
posts the photograph over loopback to one after the other, so that other work on the machine hits both
alike. Memory is each server's resident set after the last turn. The last column divides requests a second by
those of the other server in the same round: the median over the rounds.
"""
import argparse
import os
import re
import shlex
import statistics
import subprocess
import tempfile
import time
import urllib.request

SCRIPT = """
wrk.method = "POST"
local file = io.open("%s", "rb")
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "image/jpeg"
function done(summary, latency, requests)
  io.write(string.format("RESULT %%d %%d %%d %%f %%f\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.timeout + summary.errors.read + summary.errors.connect,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("server")
    parser.add_argument("model")
    parser.add_argument("onnx")
    parser.add_argument("photo")
    parser.add_argument("--connections", default="8,64")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default="python3")
    parser.add_argument("--engines", type=int, default=2)
    parser.add_argument("--server-options", default="", help="more for ClassifyServer")
    return parser.parse_args()


class Server:
    def __init__(self, name, command, port):
        self.name, self.port, self.rows = name, port, {}
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).read()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise SystemExit(f"{name} does not answer: {shlex.join(command)}")

    def megabytes(self, field="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(rf"{field}:\s+(\d+)", status.read())[1]) / 1024

    def load(self, script, connections, seconds):
        out = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", script,
             f"http://127.0.0.1:{self.port}/classify"],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        requests, microseconds, errors, median, slow = map(
            float, re.search(r"RESULT (.*)", out)[1].split())
        row = (requests / microseconds * 1e6, median, slow, errors)
        self.rows.setdefault(connections, []).append(row)
        return row[0]

    def end(self):
        self.process.terminate()
        self.process.wait()


def main():
    options = arguments()
    here = os.path.dirname(os.path.abspath(__file__))
    script = tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False)
    script.write(SCRIPT % os.path.abspath(options.photo))
    script.close()
    servers = []
    try:
        servers.append(Server("ClassifyServer", [
            options.server, options.model, "--port", "18080", "--engines", str(options.engines),
            *shlex.split(options.server_options)], 18080))
        servers.append(Server("ONNX Runtime, uvicorn", [
            options.python, os.path.join(here, "serve_onnx.py"), options.onnx, "--port", "18081",
            "--engines", str(options.engines)], 18081))
        print(f"load average before: {os.getloadavg()[0]:.1f}; {options.rounds} turns of"
              f" {options.seconds} s a server\n")
        print("| connections | server | requests/s | p50 | p99 | errors | of the other |")
        print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
        for connections in map(int, options.connections.split(",")):
            rates = []
            for server in servers:
                server.load(script.name, connections, 1)  # warm
                server.rows[connections] = []
            for _ in range(options.rounds):
                rates.append([s.load(script.name, connections, options.seconds) for s in servers])
            for place, server in enumerate(servers):
                rate, median, slow, _ = map(statistics.median, zip(*server.rows[connections]))
                errors = sum(row[3] for row in server.rows[connections])
                ratio = statistics.median(pair[place] / pair[1 - place] for pair in rates)
                print(f"| {connections} | {server.name} | {rate:.1f} | {median:.1f} ms |"
                      f" {slow:.1f} ms | {errors:.0f} | {ratio:.2f} |", flush=True)
        for server in servers:
            print(f"\n{server.name}: resident {server.megabytes():.0f} MB,"
                  f" at most {server.megabytes('VmHWM'):.0f} MB")
    finally:
        for server in servers:
            server.end()
        os.unlink(script.name)


if __name__ == "__main__":
    main()
