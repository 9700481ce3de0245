#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does to trainings of two processes what networks and disks do: a process that stands still, a line that is cut
for a while and for good, a disk that is full. Each has to end as Docs/DISTRIBUTED.md says.

    tools/check_faults.py MUXNET [stopped] [cut] [full]

`cut` needs root (two network namespaces joined by a line), `full` a namespace of its own for a small disk; where
they cannot be made, a line says so. It ends with 1 where something came otherwise.
"""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

LIMIT = 180


def words(muxnet, folder, *more):
    return [
        muxnet, "train", "--recipe", "digits", "--epochs", "6", "--batch-size", "256", "--threads", "1", "--output",
        folder, "--name", "run", "--set", "checkpoints.everySteps=1", "--set", "output.tensorBoard=false", *more,
    ]


def start(command, environment=None, prefix=()):
    return subprocess.Popen([*prefix, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, **(environment or {})})


def end(process):
    """The code and the words of a process that has to end."""
    try:
        text = process.communicate(timeout=LIMIT)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        return None, f"it had not ended after {LIMIT} s: " + process.communicate()[1]
    return process.returncode, text


def wait_for_checkpoint(folder, processes):
    limit = time.monotonic() + LIMIT
    while not glob.glob(f"{folder}/run/checkpoints/step-*"):
        if time.monotonic() > limit or any(process.poll() is not None for process in processes):
            return False
        time.sleep(0.02)
    return True


def member(mark, rank):
    """The process of a launch with that number."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            variables = open(f"/proc/{name}/environ", "rb").read().split(b"\0")
            line = open(f"/proc/{name}/cmdline", "rb").read()
        except OSError:
            continue
        if f"CHECK_MARK={mark}".encode() in variables and f"RANK={rank}".encode() in variables and b"train" in line:
            found.append(int(name))
    return max(found, default=None)


def need(isMet, text):
    if not isMet:
        raise AssertionError(text)


def stopped(muxnet):
    with tempfile.TemporaryDirectory() as folder:
        mark = uuid.uuid4().hex
        process = start(words(muxnet, folder, "--epochs", "400", "--processes", "2", "--set",
                              "distributed.timeout=4"), {"CHECK_MARK": mark})
        need(wait_for_checkpoint(folder, [process]), "no checkpoint came")
        os.kill(member(mark, 1), signal.SIGSTOP)
        begin = time.monotonic()
        code, text = end(process)
        seconds = time.monotonic() - begin
        need(code == 1 and "has lost another one" in text, f"it ended with {code}: {text}")
        need(member(mark, 1) is None and member(mark, 0) is None, "processes are left")
        return f"all ended {seconds:.0f} s after one stood still, with a time-out of 4 s"


class Line:
    """Two network namespaces joined by a line."""

    def __init__(self):
        self.names = [f"mux{os.getpid()}a", f"mux{os.getpid()}b"]
        self.devices = [f"v{os.getpid()}a", f"v{os.getpid()}b"]
        for name in self.names:
            self.run(f"ip netns add {name}")
        self.run(f"ip link add {self.devices[0]} netns {self.names[0]} type veth peer name {self.devices[1]}"
                 f" netns {self.names[1]}")
        for place, (name, device) in enumerate(zip(self.names, self.devices)):
            self.run(f"ip netns exec {name} ip addr add 10.77.0.{place + 1}/24 dev {device}")
            self.run(f"ip netns exec {name} ip link set lo up")
            self.set(place, "up")

    def run(self, text):
        subprocess.run(text.split(), check=True, stderr=subprocess.PIPE)

    def set(self, place, state):
        self.run(f"ip netns exec {self.names[place]} ip link set {self.devices[place]} {state}")

    def train(self, muxnet, folder, *more):
        return [
            start(words(muxnet, folder, *more),
                  {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1",
                   "MASTER_ADDR": "10.77.0.1", "MASTER_PORT": "29511"}, ["ip", "netns", "exec", self.names[rank]])
            for rank in range(2)]

    def close(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)


def cut(muxnet):
    if os.getuid() != 0 or not shutil.which("ip"):
        return "skipped: network namespaces need root and ip"
    line = None
    try:
        try:
            line = Line()
        except (subprocess.CalledProcessError, OSError) as error:
            return f"skipped: network namespaces cannot be made here ({error})"
        weights = []
        for seconds in (0, 3):
            with tempfile.TemporaryDirectory() as folder:
                processes = line.train(muxnet, folder)
                need(wait_for_checkpoint(folder, processes), "no checkpoint came")
                if seconds:
                    line.set(1, "down")
                    time.sleep(seconds)
                    line.set(1, "up")
                for process in processes:
                    code, text = end(process)
                    need(code == 0, f"cut for {seconds} s: it ended with {code}: {text}")
                weights.append(open(f"{folder}/run/last.safetensors", "rb").read())
        need(weights[0] == weights[1], "the weights after a cut line are others")
        with tempfile.TemporaryDirectory() as folder:
            processes = line.train(muxnet, folder, "--epochs", "400", "--set", "distributed.timeout=4")
            need(wait_for_checkpoint(folder, processes), "no checkpoint came")
            line.set(1, "down")
            begin = time.monotonic()
            for process in processes:
                code, text = end(process)
                errors = [word for word in text.splitlines() if word.startswith("error: ")]
                need(code == 1 and len(errors) == 1 and "has lost another one" in errors[0],
                     f"cut for good: it ended with {code}: {text}")
            seconds = time.monotonic() - begin
        return f"cut for 3 s: the same weights; cut for good: both ended after {seconds:.0f} s with one line"
    finally:
        if line:
            line.close()


def full(muxnet):
    with tempfile.TemporaryDirectory() as folder:
        script = ('mount -t tmpfs -o size=200k none "$1" && cd "$1" && shift && exec "$@"')
        namespace = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-rm"]
        trial = subprocess.run([*namespace, "sh", "-c", script, "sh", folder, "true"], stderr=subprocess.PIPE,
                               text=True) if shutil.which("unshare") else None
        if trial is None or trial.returncode != 0:
            return f"skipped: a small disk cannot be made here ({trial.stderr.strip() if trial else 'no unshare'})"
        command = words(os.path.abspath(muxnet), ".", "--processes", "2")
        code, text = end(start(command, prefix=[*namespace, "sh", "-c", script, "sh", folder]))
        errors = [word for word in text.splitlines() if "error: " in word]
        need(code == 1, f"it ended with {code}: {text}")
        need(any("No space left" in word or "full" in word for word in errors), f"no line says why: {text}")
        return "the first process said why, and all ended"


def main():
    checks = {"stopped": stopped, "cut": cut, "full": full}
    if len(sys.argv) < 2 or any(name not in checks for name in sys.argv[2:]):
        sys.exit(__doc__)
    failed = False
    for name in sys.argv[2:] or checks:
        try:
            print(f"{name}: {checks[name](os.path.abspath(sys.argv[1]))}", flush=True)
        except AssertionError as error:
            failed = True
            print(f"{name}: FAILED: {error}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
