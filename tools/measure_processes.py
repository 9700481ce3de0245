#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times training steps in several processes against one, and what the exchange of gradients costs.

Ways of training take turns, so that other work on the machine hits all alike; a way's number is the median
over its steps (without the first of a turn), and ratios are medians over the rounds.

    tools/measure_processes.py MUXNET [--model muxnet_m] [--size 224] [--batch 32] [--rounds 3] [--steps 4]
    tools/measure_processes.py MUXNET --network [--rate 1gbit] [--delay 0.5ms]   (needs root)
    tools/measure_processes.py MUXNET --processor
    tools/measure_processes.py MUXNET --reduction [--rate 1gbit] [--bytes 13400000]   (needs root, Python's torch)
    tools/measure_processes.py MUXNET --scaling STEP BACKWARD    (computed, from a step's seconds and its backward's)
    tools/measure_processes.py MUXNET --faults 25

With --network two hosts are two network namespaces joined by a line of that rate, whose ends each delay by so
much; where the kernel has no netem, a relay of this script passes packets on. --processor compares processor
time instead of the clock's, which other work on the machine hardly changes: of runs of two lengths, so that what
is no step drops out. --reduction times one sum of so many bytes over that line, by the same Gloo. With --faults
a process is killed at so many moments of a run: at the start, while it computes, while it waits for the other one,
and while a checkpoint is written, in turns. The run starts anew by itself, and its weights must be those of a run
that nothing disturbed.
"""
import argparse
import ctypes
import fcntl
import os
import queue
import random
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("muxnet")
    parser.add_argument("--model", default="muxnet_m")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=32, help="images of all processes together")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4, help="steps of a turn, the first untimed")
    parser.add_argument("--network", action="store_true", help="two network namespaces")
    parser.add_argument("--rate", default="1gbit")
    parser.add_argument("--delay", default="0.5ms")
    parser.add_argument("--processor", action="store_true", help="compare processor time")
    parser.add_argument("--reduction", action="store_true", help="one sum over a line of that rate")
    parser.add_argument("--scaling", type=float, nargs=2, metavar=("STEP", "BACKWARD"))
    parser.add_argument("--bytes", type=int, default=13_400_000)
    parser.add_argument("--faults", type=int, default=0, help="moments at which to kill a process")
    return parser.parse_args()


def words(options, folder, batch, more=()):
    """A few steps of a network on the digits, enlarged; what is measured are the steps alone."""
    return [
        options.muxnet, "train", "--recipe", "digits", "--model", options.model,
        "--input-size", str(options.size), "--batch-size", str(batch),
        "--max-steps", str(options.steps), "--output", folder,
        "--set", "model.inputChannels=1", "--set", "output.logEverySteps=1",
        "--set", "output.tensorBoard=false", "--set", "data.validationFraction=0.02",
        *more,
    ]


def seconds(text, batch):
    """Of each step but the first, from its images a second."""
    rates = [float(rate) for rate in re.findall(r"step \d+/\d+ .*?([\d.]+) images/s", text)]
    return [batch / rate for rate in rates[1:]]


def start(command, environment=None, prefix=()):
    return subprocess.Popen([*prefix, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            text=True, env={**os.environ, **(environment or {})})


def finish(processes):
    texts = [process.communicate()[1] for process in processes]
    for process, text in zip(processes, texts):
        if process.returncode != 0:
            sys.exit(f"{' '.join(process.args)}:\n{text}")
    return texts


def tunnel(namespace, device):
    """An interface in a namespace whose packets are read and written here."""
    libc = ctypes.CDLL(None, use_errno=True)
    own, other = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(other, 0x40000000) != 0:  # CLONE_NEWNET
            raise OSError(ctypes.get_errno(), "setns")
        file = os.open("/dev/net/tun", os.O_RDWR)
        # TUNSETIFF with IFF_TUN and IFF_NO_PI.
        fcntl.ioctl(file, 0x400454CA, struct.pack("16sH22x", device.encode(), 0x1001))
        return file
    finally:
        libc.setns(own, 0x40000000)
        os.close(own)
        os.close(other)


def hand_on(source, target, rate, delay):
    """Passes packets on at a rate in bits a second, each after a delay in seconds."""
    waiting = queue.SimpleQueue()

    def write():
        while True:
            due, packet = waiting.get()
            time.sleep(max(0, due - time.monotonic()))
            try:
                os.write(target, packet)
            except OSError:
                pass  # the interface is not up yet

    threading.Thread(target=write, daemon=True).start()
    free = 0.0
    while True:
        packet = os.read(source, 1 << 17)
        free = max(free, time.monotonic()) + 8 * len(packet) / rate
        waiting.put((free + delay, packet))


def number(text):
    """1gbit and 0.5ms in bits a second and seconds."""
    value, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()
    return float(value) * {"kbit": 1e3, "mbit": 1e6, "gbit": 1e9, "us": 1e-6, "ms": 1e-3, "s": 1}[unit]


class Line:
    """Two network namespaces joined by a line: of the kernel (netem) where it can delay packets, else a relay in a
    process of its own."""

    def __init__(self, rate, delay):
        self.names = [f"mux{os.getpid()}a", f"mux{os.getpid()}b"]
        self.devices = [f"v{os.getpid()}a", f"v{os.getpid()}b"]
        self.relay = None
        for name in self.names:
            self.run(f"ip netns add {name}")
        try:
            self.kind = self.kernel_line(f"netem rate {rate} delay {delay}")
            if self.kind is None:
                self.run(f"ip netns exec {self.names[0]} ip link del {self.devices[0]}")
                self.kind = self.relay_line(rate, delay)
        except BaseException:
            self.close()
            raise
        print(f"line: {self.kind}", file=sys.stderr)

    def run(self, text, **more):
        return subprocess.run(text.split(), check=not more, **more).returncode

    def set_up(self, place):
        inside, device = f"ip netns exec {self.names[place]}", self.devices[place]
        self.run(f"{inside} ip addr add 10.77.0.{place + 1}/24 dev {device}")
        self.run(f"{inside} ip link set {device} up")
        self.run(f"{inside} ip link set lo up")

    def kernel_line(self, limit):
        a, b = self.devices
        self.run(f"ip link add {a} netns {self.names[0]} type veth peer name {b} netns {self.names[1]}")
        for place, name in enumerate(self.names):
            self.set_up(place)
            if self.run(f"ip netns exec {name} tc qdisc add dev {self.devices[place]} root {limit}",
                        stderr=subprocess.DEVNULL) != 0:
                return None
        return limit

    def relay_line(self, rate, delay):
        files = [tunnel(*end) for end in zip(self.names, self.devices)]
        for place, name in enumerate(self.names):
            self.set_up(place)
            # Large packets, so that the relay takes little of the processors.
            self.run(f"ip netns exec {name} ip link set {self.devices[place]} mtu 65000")
        self.relay = os.fork()
        if self.relay == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # with the parent (PR_SET_PDEATHSIG)
            threading.Thread(target=hand_on, args=(*files, number(rate), number(delay)), daemon=True).start()
            hand_on(*reversed(files), number(rate), number(delay))
        for file in files:
            os.close(file)
        return f"relay, {rate}, {delay} each way, packets of 65 kB"

    def close(self):
        if self.relay:
            os.kill(self.relay, signal.SIGKILL)
            os.waitpid(self.relay, 0)
        for name in self.names:
            # What still trains there where this script is asked to end.
            inside = subprocess.run(["ip", "netns", "pids", name], stdout=subprocess.PIPE, text=True).stdout
            for process in inside.split():
                os.kill(int(process), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", name])


def ways(options, line):
    """Ways of training by name: each makes the steps' seconds in a folder of its own."""
    half = options.batch // 2

    def one(threads, batch):
        def run(folder):
            return seconds(finish([start(words(options, folder, batch, ["--threads", str(threads)]))])[0],
                           batch)
        return run

    def apart(folder):
        runs = [start(words(options, f"{folder}/{place}", half, ["--threads", "1"])) for place in "ab"]
        return [step for text in finish(runs) for step in seconds(text, half)]

    def together(*settings):
        more = ["--threads", "1"] + [word for setting in settings for word in ("--set", setting)]

        def run(folder):
            if line is None:
                command = words(options, folder, options.batch, [*more, "--processes", "2"])
                return seconds(finish([start(command)])[0], options.batch)
            runs = [
                start(words(options, folder, options.batch, more),
                      {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1",
                       "MASTER_ADDR": "10.77.0.1", "MASTER_PORT": "29511"},
                      ["ip", "netns", "exec", line.names[rank]])
                for rank in range(2)]
            return seconds(finish(runs)[0], options.batch)
        return run

    named = {"two processes apart": apart, "two processes": together(),
             "two, bfloat16 gradients": together("distributed.gradients=bfloat16"),
             "two, buckets of 2 MiB": together("distributed.bucketMebibytes=2"),
             "two, synchronised norms": together("distributed.synchronizedNorms=true")}
    if line is None:
        named = {"one process of two threads": one(2, options.batch), **named}
    return named


def measure(options):
    line = Line(options.rate, options.delay) if options.network else None
    try:
        named = ways(options, line)
        rounds = []
        for _ in range(options.rounds):
            turn = {}
            for name in random.sample(list(named), len(named)):
                with tempfile.TemporaryDirectory() as folder:
                    turn[name] = statistics.median(named[name](folder))
            rounds.append(turn)
            print(turn, file=sys.stderr, flush=True)
    finally:
        if line:
            line.close()
    print(f"{options.model}, {options.batch}×{options.size}²; {options.rounds} rounds of {options.steps - 1} steps")
    print("\n| way | ms a step | fastest round | ÷ two apart |\n| --- | ---: | ---: | ---: |")
    for name in named:
        times = [turn[name] for turn in rounds]
        ratio = statistics.median(turn[name] / turn["two processes apart"] for turn in rounds)
        print(f"| {name} | {1000 * statistics.median(times):.0f} | {1000 * min(times):.0f} | {ratio:.3f} |")


def processor(options):
    """Processor seconds a step: two processes that know nothing of each other against two that train as one."""
    half = options.batch // 2

    def used(commands):
        before = os.times()
        finish([start(command) for command in commands])
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    def step(make):
        short, long = 2, 2 + options.steps
        times = []
        for steps in (short, long):
            options.steps = steps
            with tempfile.TemporaryDirectory() as folder:
                times.append(used(make(folder)))
        options.steps = long - 2
        return (times[1] - times[0]) / (long - short)

    def together(*more):
        return lambda folder: [words(options, folder, options.batch, ["--threads", "1", "--processes", "2", *more])]

    ways = {
        "two processes apart": lambda folder: [
            words(options, f"{folder}/{place}", half, ["--threads", "1"]) for place in "ab"],
        "two processes": together(),
        "two, synchronised norms": together("--set", "distributed.synchronizedNorms=true"),
    }
    rounds = []
    for _ in range(options.rounds):
        rounds.append({name: step(make) for name, make in ways.items()})
        print(rounds[-1], file=sys.stderr, flush=True)
    print(f"{options.model}, {options.batch}×{options.size}²; processor seconds a step, {options.rounds} rounds of"
          f" {options.steps} steps")
    print("\n| way | seconds a step | ÷ two apart |\n| --- | ---: | ---: |")
    for name in ways:
        ratio = statistics.median(turn[name] / turn["two processes apart"] for turn in rounds)
        print(f"| {name} | {statistics.median(turn[name] for turn in rounds):.2f} | {ratio:.3f} |")


REDUCTION = """
import os, sys, time, torch, torch.distributed as group
torch.set_num_threads(1)
group.init_process_group("gloo")
for name in ("float32", "bfloat16"):
    values = torch.zeros(int(sys.argv[1]) // 4, dtype=getattr(torch, name))
    times = []
    for _ in range(25):
        group.barrier()
        begin = time.monotonic()
        group.all_reduce(values)
        times.append(time.monotonic() - begin)
    times.sort()
    if group.get_rank() == 0:
        print(f"| {name} | {1000 * times[12]:.0f} | {1000 * times[0]:.0f} |", flush=True)
group.barrier()
"""


def reduction(options):
    line = Line(options.rate, options.delay)
    try:
        runs = [
            subprocess.Popen(
                ["ip", "netns", "exec", line.names[rank], sys.executable, "-c", REDUCTION, str(options.bytes)],
                stdout=subprocess.PIPE, text=True,
                env={**os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "10.77.0.1",
                     "MASTER_PORT": "29512", "GLOO_SOCKET_IFNAME": f"v{os.getpid()}{'ab'[rank]}"})
            for rank in range(2)]
        text = [run.communicate()[0] for run in runs][0]
    finally:
        line.close()
    print(f"one sum of {options.bytes / 1e6:.1f} MB (as float32) over two hosts, {line.kind}: milliseconds of 25\n")
    print("| type | median | fastest |\n| --- | ---: | ---: |")
    print(text, end="")


def scaling(options):
    """A ring of n machines sends 2(n − 1)/n of the bytes and waits 2(n − 1) times for each bucket. All but the
    last bucket hides behind the backward pass, as far as that lasts. A model, not a measurement."""
    step, backward = options.scaling
    print(f"step {step:.3f} s, backward {backward:.3f} s on each machine, {options.bytes / 1e6:.1f} MB;"
          " share of the speed of n machines without a network\n")
    print("| line | gradients | buckets | 2 machines | 8 | 64 |\n| --- | --- | ---: | ---: | ---: | ---: |")
    for name, rate, latency in [("1 Gbit/s, 1 ms", 125e6, 1e-3), ("10 Gbit/s, 0.1 ms", 1.25e9, 1e-4)]:
        for kind, size in [("float32", options.bytes), ("bfloat16", options.bytes / 2)]:
            for buckets in (2, 7):
                shares = []
                for machines in (2, 8, 64):
                    # The first bucket is of a mebibyte (as float32).
                    first = size * (1 << 20) / options.bytes
                    parts = [first] + [(size - first) / (buckets - 1)] * (buckets - 1)
                    times = [2 * (machines - 1) / machines * part / rate + 2 * (machines - 1) * latency
                             for part in parts]
                    exposed = times[-1] + max(0, sum(times[:-1]) - backward * (1 - 1 / buckets))
                    shares.append(f"{100 * step / (step + exposed):.0f} %")
                print(f"| {name} | {kind} | {buckets} | {' | '.join(shares)} |")


def members(mark):
    """The processes of a run by their numbers, found by a variable that only they have."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            variables = open(f"/proc/{name}/environ", "rb").read().split(b"\0")
            line = open(f"/proc/{name}/cmdline", "rb").read()
        except OSError:
            continue
        ranks = [text for text in variables if text.startswith(b"RANK=")]
        if f"TEST_MARK={mark}".encode() in variables and ranks and b"train" in line:
            rank = int(ranks[0][5:])
            found[rank] = max(found.get(rank, 0), int(name))
    return found


PHASES = ["start", "computes", "waits", "checkpoint"]


def phase(run, process):
    """What a training does in this moment, as far as others see it: "start" until the run has its folder,
    "checkpoint" while one is being written, else whether the process's first thread computes (forward, backward,
    update) or waits (a reduction, or the other process's checkpoint)."""
    try:
        if any(name.startswith(".partial-") for name in os.listdir(f"{run}/checkpoints")):
            return "checkpoint"
        state = open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "start"
    return "computes" if state == "R" else "waits"


def await_phase(wanted, run, launcher, mark, rank):
    """The process of that number as soon as it does what is wanted, or after 5 seconds, and what it does then."""
    limit, victim, found = time.monotonic() + 5, None, "start"
    while launcher.poll() is None:
        if victim is None or not os.path.exists(f"/proc/{victim}"):
            victim = members(mark).get(rank)
        if victim:
            found = phase(run, victim)
            if found == wanted or time.monotonic() > limit:
                break
        time.sleep(0.0005)
    return victim, found


def faults(options):
    with tempfile.TemporaryDirectory() as folder:
        def train(name, mark=""):
            return subprocess.Popen(
                [options.muxnet, "train", "--recipe", "digits", "--epochs", "4", "--batch-size", "128",
                 "--threads", "1", "--output", folder, "--name", name, "--processes", "2",
                 "--restarts", "3", "--set", "checkpoints.everySteps=1", "--set", "output.tensorBoard=false"],
                stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                env={**os.environ, "TEST_MARK": mark})

        begin = time.monotonic()
        whole = train("whole")
        whole.communicate()
        length = time.monotonic() - begin
        weights = lambda name: open(f"{folder}/{name}/last.safetensors", "rb").read()
        reference = weights("whole")
        print("| # | process | killed after | what it did | newest checkpoint | seconds to the end | restarts |"
              " weights |")
        print("| ---: | ---: | ---: | --- | --- | ---: | ---: | --- |")
        bad = 0
        for number in range(options.faults):
            rank, wanted = number % 2, PHASES[number // 2 % len(PHASES)]
            # A start is over after a part of that; others may come at any time of the run.
            delay = length * (number + 0.5) / options.faults * (0.1 if wanted == "start" else 0.8)
            while True:
                mark = f"{os.getpid()}-{number}-{delay}"
                run = train(f"run{number}", mark)
                begin = time.monotonic()
                time.sleep(delay)
                victim, did = await_phase(wanted, f"{folder}/run{number}", run, mark, rank)
                if victim and run.poll() is None:
                    break
                # It was over before, on a machine that others use as well.
                run.communicate()
                shutil.rmtree(f"{folder}/run{number}", ignore_errors=True)
                delay /= 2
            moment = time.monotonic() - begin
            place = f"{folder}/run{number}/checkpoints"
            saved = sorted(name for name in os.listdir(place) if name.startswith("step-")) \
                if os.path.isdir(place) else []
            os.kill(victim, signal.SIGKILL)
            begin = time.monotonic()
            errors = run.communicate()[1]
            took = time.monotonic() - begin
            restarts = errors.count(": all restart (")
            same = run.returncode == 0 and weights(f"run{number}") == reference
            bad += not same
            print(f"| {number + 1} | {rank} | {moment:.2f} s | {did} | {saved[-1] if saved else 'none'} |"
                  f" {took:.1f} | {restarts} | {'equal' if same else f'OTHER ({run.returncode})'} |", flush=True)
            if not same:
                print(errors, file=sys.stderr)
            shutil.rmtree(f"{folder}/run{number}", ignore_errors=True)
        sys.exit(1 if bad else 0)


def main():
    options = arguments()
    # So that namespaces do not stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.faults:
        faults(options)
    elif options.processor:
        processor(options)
    elif options.scaling:
        scaling(options)
    elif options.reduction:
        reduction(options)
    else:
        measure(options)


if __name__ == "__main__":
    main()
