#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times a training step of MUXNet against the authors' published PyTorch code.

Both sides run in turns, so that other work on the machine hits both alike: the authors' network as
published, the same switched to channels-last, and `muxnet benchmark --train`. All do forward, loss,
backward and an SGD update on random images with the same number of threads. Use the libtorch of
this Python's torch for `muxnet` (set LIBTORCH when building) so that both sides share it.

    tools/compare_training.py AUTHORS MUXNET [--rounds 5] [--threads 2]

AUTHORS is a checkout of github.com/human-analysis/MUXConv, MUXNET the built executable.
Needs torch only: the names that the authors' code imports from timm 0.1.14 are stubbed.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import types


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("authors", help="folder with the authors' muxnet.py")
    parser.add_argument("muxnet", help="our muxnet executable")
    parser.add_argument("--model", default="muxnet_m", choices=["muxnet_m", "muxnet_l"])
    parser.add_argument("--sizes", default="32x224,128x64", help="BATCHxPIXELS, comma-separated")
    parser.add_argument("--rounds", type=int, default=5, help="turns per side")
    parser.add_argument("--steps", type=int, default=2, help="timed steps per turn")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def stub_timm(torch):
    """Stands in for the five names of timm 0.1.14 that muxnet.py imports."""

    class Pool(torch.nn.AdaptiveAvgPool2d):
        def __init__(self, output_size=1, pool_type="avg"):
            super().__init__(output_size)

        def feat_mult(self):
            return 1

    contents = {
        "timm": {}, "timm.models": {},
        "timm.models.registry": {"register_model": lambda function: function},
        "timm.models.helpers": {"load_pretrained": None, "load_checkpoint": None},
        "timm.models.adaptive_avgmax_pool": {"SelectAdaptivePool2d": Pool},
        "timm.data": {"IMAGENET_DEFAULT_MEAN": None, "IMAGENET_DEFAULT_STD": None},
    }
    for name, values in contents.items():
        module = types.ModuleType(name)
        module.__dict__.update(values)
        sys.modules[name] = module


class Theirs:
    """The authors' network, one training step at a time."""

    def __init__(self, torch, make, batch, size, channels_last):
        self.torch = torch
        layout = torch.channels_last if channels_last else torch.contiguous_format
        torch.manual_seed(0)
        self.model = make(num_classes=1000).to(memory_format=layout).train()
        self.images = torch.randn(batch, 3, size, size).contiguous(memory_format=layout)
        self.labels = torch.arange(batch) % 1000
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-4, momentum=0.9)

    def step(self):
        start = time.perf_counter()
        self.optimizer.zero_grad()
        loss = self.torch.nn.functional.cross_entropy(self.model(self.images), self.labels)
        loss.item()
        forward = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        self.optimizer.step()
        end = time.perf_counter()
        return forward - start, backward - forward, end - backward

    def turn(self, steps):
        self.step()  # a turn starts warm
        return [self.step() for _ in range(steps)]


class Ours:
    """`muxnet benchmark --train` in a process of its own."""

    def __init__(self, options, batch, size):
        self.command = [
            options.muxnet, "benchmark", options.model, "--train", "--json",
            "--batch-size", str(batch), "--input-size", str(size), "--warm-up", "2",
        ]
        self.environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads))

    def turn(self, steps):
        done = subprocess.run(
            self.command + ["--steps", str(steps)], env=self.environment, check=True,
            stdout=subprocess.PIPE)
        result = json.loads(done.stdout)["benchmark"]
        return list(zip(
            result["forwardSeconds"], result["backwardSeconds"], result["updateSeconds"]))


def main():
    options = arguments()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    import torch

    torch.set_num_threads(options.threads)
    stub_timm(torch)
    sys.path.insert(0, options.authors)
    import muxnet

    make = getattr(muxnet, "_gen_" + options.model)
    print(f"{options.model}, torch {torch.__version__}, {options.threads} threads,"
          f" {options.rounds} turns of {options.steps} steps a side, seconds (medians)\n")
    print("| batch | code | forward | backward | update | step | fastest | our speed-up |")
    print("|---|---|---|---|---|---|---|---|")
    for entry in options.sizes.split(","):
        batch, size = (int(part) for part in entry.split("x"))
        sides = {
            "authors', as published": Theirs(torch, make, batch, size, False),
            "authors', channels-last": Theirs(torch, make, batch, size, True),
            "ours": Ours(options, batch, size),
        }
        times = {name: [] for name in sides}
        for _ in range(options.rounds):
            for name, side in sides.items():
                times[name] += side.turn(options.steps)
        steps = {name: [sum(parts) for parts in all_parts] for name, all_parts in times.items()}
        ours = statistics.median(steps["ours"])
        for name, all_parts in times.items():
            parts = " | ".join(f"{statistics.median(part):.3f}" for part in zip(*all_parts))
            step = statistics.median(steps[name])
            print(f"| {batch}×3×{size}×{size} | {name} | {parts} | {step:.3f} |"
                  f" {min(steps[name]):.3f} | {step / ours:.2f}× |", flush=True)


if __name__ == "__main__":
    main()
