#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs two builds of the program in turns, an earlier and a new one, and says whether anything got
worse: weights of a training, outputs of networks, memory, speed.

    python3 tools/compare_before_after.py OLD/muxnet NEW/muxnet
    python3 tools/compare_before_after.py OLD/muxnet NEW/muxnet --only equality --json result.json

Equality: the digits for two epochs on one thread give the same weights bit for bit; six networks in
float32, bfloat16 and 8 bits give outputs within 1e-6 of the greatest; a packed model takes no more
memory. The weights and the packed files are those that OLD wrote, so NEW also proves that it reads them.
Speed: each round starts and asks both programs, in changing order; the table has the median of NEW ÷
OLD. (A pair of processes that lived for all rounds would show which of them had better pages.)
Only Python's standard library is needed. Exit code 1 where something is worse.
"""
import argparse
import glob
import json
import os
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

NETWORKS = ["muxnet_xs", "muxnet_s", "muxnet_m", "muxnet_l", "mobilenetv2_100",
            "mobilenetv3_large_100"]
PRECISIONS = ["float32", "bfloat16", "int8"]
OUTPUTS_TOLERANCE = 1e-6  # of the greatest output
SPEED_TOLERANCE = 0.02
MEMORY_TOLERANCE = 0.02  # pages that the system happens to count


def read_tensors(path):
    """Names and bytes of a safetensors file's tensors."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    body = data[8 + length :]
    return {name: body[slice(*entry["data_offsets"])] for name, entry in header.items()}


def write_input(path, channels, side):
    """A safetensors file with the tensor `input`, [1, channels, side, side], the same each time."""
    generator = random.Random(1)
    count = channels * side * side
    values = struct.pack(f"<{count}f", *(generator.gauss(0, 1) for _ in range(count)))
    header = json.dumps({"input": {"dtype": "F32", "shape": [1, channels, side, side],
                                   "data_offsets": [0, len(values)]}}).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + values)


class Program:
    """One of the two builds."""

    def __init__(self, path, name):
        self.path, self.name = os.path.abspath(path), name

    def run(self, *arguments):
        """Runs a command; its output, and the most memory that it held, in MB."""
        process = subprocess.Popen([self.path, *arguments], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        output = process.stdout.read()
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{self.path} {' '.join(arguments)}: exit "
                             f"{process.returncode}\n{errors.decode()}")
        return output.decode(), usage.ru_maxrss / 1024

    def server(self, *arguments):
        return subprocess.Popen([self.path, "benchmark", *arguments, "--serve"], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)


class Report:
    def __init__(self):
        self.rows, self.worse = [], False

    def add(self, what, figure, holds):
        self.rows.append({"what": what, "figure": figure, "holds": holds})
        self.worse |= not holds
        print(f"{'ok   ' if holds else 'WORSE'}  {what:<52} {figure}", flush=True)


def check_training(old, new, folder, report):
    tensors = []
    for program in (old, new):
        program.run("train", "--recipe", "digits", "--epochs", "2", "--set", "threads=1", "--output",
                    f"{folder}/runs", "--name", program.name, "--quiet")
        tensors.append(read_tensors(f"{folder}/runs/{program.name}/last.safetensors"))
    report.add("digits, 2 epochs, one thread: weights", "bit for bit",
               tensors[0] == tensors[1] and len(tensors[0]) > 0)


def packed_files(old, network, folder):
    """The same weights packed in each precision by the old program."""
    weights = f"{folder}/{network}.safetensors"
    if not os.path.exists(weights):
        old.run("convert", network, weights, "--random-weights")
        old.run("convert", weights, f"{folder}/{network}-float32.muxnet")
        for precision in ("bfloat16", "int8"):
            calibration = ["--calibration-images", "8"] if precision == "int8" else []
            old.run("quantize", weights, f"{folder}/{network}-{precision}.muxnet", "--precision",
                    precision, "--images", f"{folder}/pictures", *calibration)
    return {precision: f"{folder}/{network}-{precision}.muxnet" for precision in PRECISIONS}


def check_outputs(old, new, folder, report):
    write_input(f"{folder}/input.safetensors", 3, 224)
    for network in NETWORKS:
        for precision, packed in packed_files(old, network, folder).items():
            values, memory = [], []
            for program in (old, new):
                output = f"{folder}/{program.name}.out.safetensors"
                _, most = program.run("forward", network, "--weights", packed, "--input",
                                      f"{folder}/input.safetensors", "--output", output, "--overwrite",
                                      "--engine", "runtime", "--threads", "1")
                data = read_tensors(output)["output"]
                values.append(struct.unpack(f"<{len(data) // 4}f", data))
                memory.append(most)
            scale = max(abs(v) for v in values[0])
            difference = max(abs(a - b) for a, b in zip(*values)) / scale
            report.add(f"{network}, {precision}: outputs", f"{difference:.1e} of the greatest",
                       difference <= OUTPUTS_TOLERANCE and len(values[0]) == len(values[1]))
            ratio = memory[1] / memory[0]
            report.add(f"{network}, {precision}: memory", f"{memory[0]:.1f} → {memory[1]:.1f} MB",
                       ratio <= 1 + MEMORY_TOLERANCE)


def ratios_of_inference(old, new, arguments, rounds, runs):
    """Ratios of several pairs of processes: which pages of memory a process gets makes the same
    build some per cent slower or faster for as long as it lives."""
    def ask(server):
        server.stdin.write(f"{runs}\n")
        server.stdin.flush()
        return statistics.median(float(t) for t in server.stdout.readline().split())

    ratios, times = [], ([], [])
    for round_ in range(rounds):
        servers = [program.server(*arguments) for program in (old, new)]
        for server in servers:
            ask(server)
        pair = [0.0, 0.0]
        for index in ((0, 1) if round_ % 2 == 0 else (1, 0)):
            pair[index] = ask(servers[index])
            times[index].append(pair[index])
        ratios.append(pair[1] / pair[0])
        for server in servers:
            server.stdin.close()
            server.wait()
    return ratios, [statistics.median(t) for t in times]


def check_inference(old, new, folder, report, rounds):
    for network in NETWORKS:
        for precision, packed in packed_files(old, network, folder).items():
            ratios, times = ratios_of_inference(
                old, new, [packed, "--batch-size", "1", "--threads", "1"], rounds, 9)
            ratio = statistics.median(ratios)
            report.add(f"{network}, {precision}: one image",
                       f"{times[0]:.3f} → {times[1]:.3f} ms, ratio {ratio:.3f}",
                       ratio <= 1 + SPEED_TOLERANCE)


def check_first_result(old, new, folder, report, rounds):
    packed = packed_files(old, "muxnet_m", folder)["float32"]
    pictures = [f"{folder}/pictures/{name}" for name in sorted(os.listdir(f"{folder}/pictures"))]
    pictures = [p for p in pictures if p.endswith(".png")] or [
        os.path.join(root, name) for root, _, names in os.walk(f"{folder}/pictures")
        for name in names][:1]
    ratios, times = [], ([], [])
    for round_ in range(4 * rounds):
        pair = [0.0, 0.0]
        for index in ((0, 1) if round_ % 2 == 0 else (1, 0)):
            begin = time.perf_counter()
            (old, new)[index].run("predict", pictures[0], "--weights", packed, "--threads", "1")
            pair[index] = time.perf_counter() - begin
            times[index].append(pair[index])
        ratios.append(pair[1] / pair[0])
    ratio = statistics.median(ratios)
    report.add("muxnet_m, packed: process from start to result",
               f"{1e3 * statistics.median(times[0]):.1f} → {1e3 * statistics.median(times[1]):.1f} ms, "
               f"ratio {ratio:.3f}", ratio <= 1 + SPEED_TOLERANCE)


def check_training_step(old, new, report, rounds):
    ratios, times = [], ([], [])
    for round_ in range(rounds):
        pair = [0.0, 0.0]
        for index in ((0, 1) if round_ % 2 == 0 else (1, 0)):
            output, _ = (old, new)[index].run(
                "benchmark", "muxnet_m", "--train", "--batch-size", "8", "--threads", "1", "--steps", "3",
                "--warm-up", "1", "--json")
            pair[index] = json.loads(output)["medianSeconds"]
            times[index].append(pair[index])
        ratios.append(pair[1] / pair[0])
    ratio = statistics.median(ratios)
    report.add("muxnet_m, training step of 8 images",
               f"{statistics.median(times[0]):.3f} → {statistics.median(times[1]):.3f} s, "
               f"ratio {ratio:.3f}", ratio <= 1 + SPEED_TOLERANCE)


def copied(program, folder):
    """A copy of a program with the library that it opens beside itself, of a version of its own."""
    os.mkdir(folder)
    for library in glob.glob(os.path.join(os.path.dirname(os.path.abspath(program)), "libMUXTorch.*")):
        shutil.copy(library, folder)
    return shutil.copy(program, os.path.join(folder, "muxnet"))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="the earlier build's muxnet")
    parser.add_argument("new", help="the new build's muxnet")
    parser.add_argument("--only", choices=["equality", "speed"], help="one half of the comparison")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each timing (7)")
    parser.add_argument("--json", help="write the rows to this file too")
    options = parser.parse_args()
    os.environ.setdefault("MUXNET_RECIPES",
                          os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "recipes"))
    report = Report()
    folder = tempfile.mkdtemp(prefix="muxnet-compare-")
    # Copies that were made at the same time: how much of a program's file the system maps at once, and
    # counts as the program's memory, depends on how the file came into the system's cache.
    old, new = (Program(copied(path, f"{folder}/{name}"), name)
                for path, name in [(options.old, "old"), (options.new, "new")])
    try:
        old.run("data", "export", f"{folder}/pictures", "--recipe", "digits", "--part", "test",
                "--limit", "24")
        if options.only != "speed":
            check_training(old, new, folder, report)
            check_outputs(old, new, folder, report)
        if options.only != "equality":
            check_inference(old, new, folder, report, options.rounds)
            check_first_result(old, new, folder, report, options.rounds)
            check_training_step(old, new, report, options.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report.rows, file, indent=1)
    sys.exit(1 if report.worse else 0)


if __name__ == "__main__":
    main()
