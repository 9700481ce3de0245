#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How busy the multiply-add ports of Arm processors are in the inner loops of the kernels' main tiles, by
llvm-mca's models of Neoverse N1 (N2 for what N1 lacks) and V1: static analysis of the machine code, no time
of a device.

    python3 tools/check_arm/ports.py            a table
    python3 tools/check_arm/ports.py --least 85 fails where a main tile has less
    python3 tools/check_arm/ports.py --count    how many instructions need those ports; needs clang alone

Needs clang, and LLVM 19 or newer for llvm-mca (LLVM names its folder)."""

import argparse
import os
import re
import subprocess
import sys
import tempfile

SOURCES = "Sources/CMUXKernels"

# Variant, function, what it is, whether it is a main tile, and what multiplies and adds in it.
LOOPS = [
    ("generic", "pair_quads_4_generic", "projection: 4 pixels × 16 channels", True, "fmla"),
    ("generic", "pair_quads_5_generic", "the same of 5 pixels", True, "fmla"),
    ("generic", "pair_one_6_generic", "expansion: 6 pixels × 16 channels", True, "fmla"),
    ("generic", "tile_quads_8_generic", "8 pixels × 8 channels", True, "fmla"),
    ("generic", "line_3_1_generic", "3×3 window, 7 pixels × 8 channels", False, "fmla"),
    ("generic", "line_5_1_generic", "5×5 window, 7 pixels × 8 channels", False, "fmla"),
    ("neondot", "pair_group_4_neondot_int8", "projection: 4 pixels × 16 channels", True, "sdot"),
    ("neondot", "pair_one_6_neondot_int8", "expansion: 6 pixels × 16 channels", True, "sdot"),
    ("neondot", "line_3_1_neondot_int8", "3×3 window, 7 pixels × 8 channels", False, "sdot"),
    ("neoncells", "pair_group_4_neoncells_int8", "projection: 4 pixels × 16 channels", True,
     "smmla"),
    ("neoncells", "pair_one_6_neoncells_int8", "expansion: 6 pixels × 16 channels", True, "smmla"),
    ("neoncells", "pair_group_4_neoncells_bf16", "projection: 4 pixels × 16 channels", True,
     "bfmmla"),
    ("neoncells", "pair_one_6_neoncells_bf16", "expansion: 6 pixels × 16 channels", True, "bfmmla"),
]
# Names and ports of vectors: with two of them, and with four.
PROCESSORS = [("neoverse-n1", 2), ("neoverse-v1", 4)]
# The same for a variant whose instructions N1 lacks.
NEWER = {"neoncells": [("neoverse-n2", 2), ("neoverse-v1", 4)]}


def run(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, **options)
    if result.returncode:
        sys.exit(f"ports: error: {command[0]}: {result.stderr.strip()}")
    return result.stdout


def compiled(variant, folder, clang):
    """The assembly of a variant."""
    path = os.path.join(folder, variant + ".s")
    run(clang, "--target=aarch64-linux-gnu", "-isystem", "/usr/aarch64-linux-gnu/include", "-O2", "-std=gnu11",
        "-Wno-psabi", "-I", f"{SOURCES}/include", "-S",
        f"{SOURCES}/inference/mux_inference_{variant}.c", "-o", path)
    with open(path) as file:
        return file.read()


def inner_loop(assembly, function, operation):
    """The lines of the shortest loop in a function that has most of its multiply-adds."""
    found = re.search(rf"^{re.escape(function)}:.*?^\.Lfunc_end", assembly, re.M | re.S)
    if not found:
        sys.exit(f"ports: error: there is no {function}")
    lines = [line.strip() for line in found.group(0).splitlines()]
    lines = [line for line in lines if line and not line.startswith("//")]
    places = {line.split(":")[0]: i for i, line in enumerate(lines) if re.match(r"\.L\w+:", line)}
    best, best_density = None, 0
    for end, line in enumerate(lines):
        branch = re.match(r"(?:b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+, #\d+,)\s+(\.L\w+)", line)
        start = places.get(branch.group(1)) if branch else None
        if start is None or start >= end:
            continue
        body = [x for x in lines[start:end + 1] if not x.endswith(":") and not x.startswith(".")
                and not re.match(r"\.L\w+:", x)]
        body = [x.split("//")[0].strip() for x in body]
        count = sum(x.startswith(operation) for x in body)
        density = count / max(len(body), 1)
        if count >= 8 and density > best_density:
            best, best_density = body, density
    if best is None:
        sys.exit(f"ports: error: {function} has no loop of {operation}")
    return best


def cycles(body, processor, mca):
    """Cycles of an iteration once the loop runs."""
    # The branch back goes to the loop's start, which mca takes for granted.
    text = "begin:\n" + re.sub(r"\.L\w+", "begin", "\n".join(body)) + "\n"
    iterations = 400
    out = run(mca, "-mtriple=aarch64", f"-mcpu={processor}", "-mattr=+bf16,+i8mm,+dotprod",
              f"-iterations={iterations}", input=text)
    return int(re.search(r"Total Cycles:\s+(\d+)", out).group(1)) / iterations


def on_vector_ports(body):
    """How many instructions need a port for vectors: those that name a register by its lanes, which loads and
    stores of whole registers do not."""
    return sum(bool(re.search(r"\bv\d+\.\d*[bhsd]", x)) for x in body)


def analysed(variant, body, products, mca):
    """Columns of a loop, and the processors on which it has less than the percentage."""
    row, rates = [], []
    for name, ports in NEWER.get(variant, PROCESSORS):
        time = cycles(body, name, mca)
        busy = 100 * products / (ports * time)
        row += [f"{time:.2f}", f"{busy:.0f} %"]
        rates.append((name, busy))
    return row, rates


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--least", type=float, default=0, help="percent of the ports, of main tiles")
    parser.add_argument("--count", action="store_true", help="count instructions, without llvm-mca")
    parser.add_argument("--clang", default=os.environ.get("CLANG", "clang"))
    parser.add_argument("--llvm", default=os.environ.get("LLVM", "/usr/lib/llvm-19/bin"))
    options = parser.parse_args()
    mca = os.path.join(options.llvm, "llvm-mca")
    heads = ["loop", "what", "instructions", "multiply-adds"]
    if options.count:
        heads += ["on ports for vectors", "multiply-adds of those"]
    else:
        if not os.path.exists(mca):
            sys.exit(f"ports: error: no {mca}; install llvm-19 or newer, set LLVM, or use --count")
        print(re.search(r"LLVM version .*", run(mca, "--version")).group(0))
        for (name, _), (newer, _) in zip(PROCESSORS, NEWER["neoncells"]):
            both = name if name == newer else f"{name} ({newer} for neoncells)"
            heads += [f"{both}: cycles", "busy"]
    print("| " + " | ".join(heads) + " |")
    print("| --- | --- |" + " ---: |" * (len(heads) - 2))
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        assemblies = {}
        for variant, function, what, is_main, operation in LOOPS:
            if variant not in assemblies:
                assemblies[variant] = compiled(variant, folder, options.clang)
            body = inner_loop(assemblies[variant], function, operation)
            products = sum(x.startswith(operation) for x in body)
            if options.count:
                vectors = on_vector_ports(body)
                row, rates = [str(vectors), f"{100 * products / vectors:.0f} %"], []
            else:
                row, rates = analysed(variant, body, products, mca)
            row = [f"`{function}`", what, str(len(body)), f"{products} {operation}"] + row
            if is_main:
                missed += [f"{function} on {name}" for name, busy in rates if busy < options.least]
            print("| " + " | ".join(row) + " |", flush=True)
    if missed:
        sys.exit(f"ports: error: less than {options.least:g} %: " + ", ".join(missed))


if __name__ == "__main__":
    main()
