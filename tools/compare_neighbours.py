#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times a training step beside other processes, with threads that wait in different ways.

    tools/compare_neighbours.py MUXNET [--sizes 32x224,128x64] [--rounds 3] [--steps 4] [--threads 2]
      [--neighbours alone,busy,training] [--priority]

MUXNET is the built program. In each round every way of waiting has a turn, in a random order, in a process
of its own: libgomp's default (300,000 looks before a thread sleeps), the program's (10,000), and none
(OMP_WAIT_POLICY=passive). Neighbours: nobody; a process that computes on one thread; a second training
that waits in the same way. --priority gives all of them, neighbours too, precedence over the rest of the machine
(Linux, as root): each keeps its share of the others. Prints medians, and ratios to the program's way in the same round.
"""
import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time

WAYS = {
    "libgomp's": {"GOMP_SPINCOUNT": "300000"},
    "the program's": {"GOMP_SPINCOUNT": "10000"},
    "passive": {"OMP_WAIT_POLICY": "passive"},
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("muxnet")
    parser.add_argument("--model", default="muxnet_m")
    parser.add_argument("--sizes", default="32x224,128x64", help="BATCHxPIXELS, comma-separated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4, help="timed steps per turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--neighbours", default="alone,busy,training")
    parser.add_argument("--priority", action="store_true")
    return parser.parse_args()


class Sides:
    def __init__(self, options):
        self.options = options

    def start(self, command, way):
        environment = {
            name: value for name, value in os.environ.items()
            if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
        environment.update(way, OMP_NUM_THREADS=str(self.options.threads))

        def prepare():
            # A session of its own is a group of its own for the scheduler.
            os.setsid()
            if self.options.priority:
                with open("/proc/self/autogroup", "w") as group:
                    group.write("-15")

        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            preexec_fn=prepare)

    def training(self, size, way, steps):
        batch, pixels = size.split("x")
        return self.start(
            [self.options.muxnet, "benchmark", self.options.model, "--train", "--json",
             "--batch-size", batch, "--input-size", pixels, "--warm-up", "1", "--steps", str(steps)],
            way)

    def turn(self, size, way, neighbour):
        other = None
        if neighbour == "busy":
            other = self.start([sys.executable, "-c", "while True: pass"], {})
        elif neighbour == "training":
            other = self.training(size, way, 100_000)
            time.sleep(3)
        try:
            output, _ = self.training(size, way, self.options.steps).communicate()
        finally:
            if other:
                other.send_signal(signal.SIGKILL)
                other.wait()
        result = json.loads(output)["benchmark"]
        return [sum(parts) for parts in zip(
            result["forwardSeconds"], result["backwardSeconds"], result["updateSeconds"])]


def main():
    options = arguments()
    sides = Sides(options)
    print(f"{options.model}, {options.threads} threads, {options.rounds} turns of"
          f" {options.steps} steps, load average before: {os.getloadavg()[0]:.1f}\n")
    print("| step | beside | threads wait | ms a step | fastest | ÷ the program's |")
    print("| --- | --- | --- | ---: | ---: | ---: |")
    for size in options.sizes.split(","):
        for neighbour in options.neighbours.split(","):
            times = {name: [] for name in WAYS}
            ratios = {name: [] for name in WAYS}
            for _ in range(options.rounds):
                turn = {}
                for name in random.sample(list(WAYS), len(WAYS)):
                    turn[name] = sides.turn(size, WAYS[name], neighbour)
                    times[name] += turn[name]
                own = statistics.median(turn["the program's"])
                for name in WAYS:
                    ratios[name].append(statistics.median(turn[name]) / own)
            for name in WAYS:
                print(f"| {size} | {neighbour} | {name} | {1000 * statistics.median(times[name]):.0f}"
                      f" | {1000 * min(times[name]):.0f} | {statistics.median(ratios[name]):.2f} |",
                      flush=True)


if __name__ == "__main__":
    main()
