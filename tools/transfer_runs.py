#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The trainings of results/transfer, each by its name: what is missing is trained, what was broken off goes
on, and the table is made of what is there.

    python3 tools/transfer_runs.py STATE [NAME ...] --muxnet .build/release/muxnet --data FOLDER

STATE is a folder outside of the repository that keeps the runs; without names the table is printed, and
written with --output. FOLDER holds `photos` (tools/cut_objects.py), `thumbnails`, `cifar10`
(train and test, one folder for each class) and `cifar100` (the binary files). Weights are fetched before:
muxnet weights fetch tf_efficientnet_lite0. Only Python's standard library is needed.
"""
import argparse
import json
import os
import subprocess
import sys

LITE0 = "tf_efficientnet_lite0"
# The paper's transfer: one network, a new head, few epochs at a small rate. Chosen by pilots on a tenth of the
# images: as with a few photographs, batch norms keep their statistics; the backbone may move ten times as
# much, and pictures of 32 pixels are only moved and mirrored.
CIFAR = ["--recipe", "photos", "--set", "optimizer.learningRateScale=[{parameters: backbone, factor: 0.2}]",
         "--set", "data.sampler=shuffled", "--set", "data.validationFraction=0.05", "--batch-size", "64",
         "--set", "augmentation.crop=padded", "--set", "augmentation.padding=4",
         "--set", "augmentation.brightness=0", "--set", "augmentation.contrast=0", "--set", "augmentation.saturation=0",
         "--set", "model.inputSize=160"]
SMALLER = CIFAR + ["--source", "cifar100", "--set", "model.inputSize=128", "--epochs", "10"]
STUDENT = ["--recipe", "cifar10_scratch", "--epochs", "15"]


def runs():
    """Each run's data, training options, and the options of its evaluation, by name."""
    listed = {
        "photos": ("photos", ["--recipe", "photos"], []),
        "thumbnails": ("thumbnails", ["--recipe", "photos", "--set", "model.inputSize=128",
                                      "--epochs", "8"], []),
        "cifar10_lite0": ("cifar10", CIFAR + ["--epochs", "6"], ["--augment", "flip"]),
        "cifar100_lite0": ("cifar100", SMALLER, []),
        "cifar100_scratch": ("cifar100", SMALLER + ["--set", "model.initialWeights=null", "--set",
                                                    "model.statistics=batch", "--set",
                                                    "optimizer.learningRateScale=[]"], []),
    }
    for seed in (1, 2, 3):
        listed[f"student_{seed}"] = ("cifar10", STUDENT + ["--seed", str(seed)], [])
        listed[f"student_teacher_{seed}"] = (
            "cifar10", STUDENT + ["--seed", str(seed), "--teacher", "{state}/cifar10_lite0"], [])
    return listed


def measured(state, name):
    path = os.path.join(state, name + ".test.json")
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return json.load(file)


def train(muxnet, state, data, name, threads):
    folder, options, evaluation = runs()[name]
    options = [option.replace("{state}", os.path.abspath(state)) for option in options]
    run = os.path.join(state, name)
    if not os.path.exists(os.path.join(run, "result.json")):
        if os.path.isdir(os.path.join(run, "checkpoints")):
            command = [muxnet, "train", "--resume", run]
        else:
            command = [muxnet, "train", *options, "--data", os.path.join(data, folder), "--output", state,
                       "--name", name, "--set", "output.overwrite=true"]
        ended = subprocess.run(command + (["--threads", str(threads)] if threads else []))
        if ended.returncode:  # it has said why, and the same command goes on
            sys.exit(ended.returncode)
    result = subprocess.run([muxnet, "evaluate", "--weights", run, "--part", "test", "--json", *evaluation],
                            check=True, capture_output=True, text=True)
    path = os.path.join(state, name + ".test.json")
    with open(path + ".new", "w") as file:
        file.write(result.stdout)
    os.replace(path + ".new", path)


def table(state):
    yield "| run | data | options | test images | top-1 | minutes |"
    yield "| --- | --- | --- | ---: | ---: | ---: |"
    for name, (folder, options, evaluation) in runs().items():
        scores = measured(state, name)
        if scores is None:
            continue
        with open(os.path.join(state, name, "result.json")) as file:
            seconds = json.load(file)["last"]["seconds"]
        told = " ".join(options + evaluation).replace("{state}/", "")
        yield (f"| {name} | {folder} | `{told}` | {scores['scores']['count']} | {100 * scores['scores']['top1']:.2f} % |"
               f" {seconds / 60:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("state", help="the folder that keeps the runs")
    parser.add_argument("names", nargs="*", help="the trainings to make: " + ", ".join(runs()))
    parser.add_argument("--muxnet", default=".build/release/muxnet")
    parser.add_argument("--data", default=".", help="the folder of the data sets")
    parser.add_argument("--threads", type=int, default=0, help="one for each core (0)")
    parser.add_argument("--output", help="write the table to this file, too")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in runs()]
    if unknown:
        sys.exit(f"no run is called {', '.join(unknown)}; there are {', '.join(runs())}")
    os.makedirs(arguments.state, exist_ok=True)
    for name in arguments.names:
        if measured(arguments.state, name) is None:
            train(arguments.muxnet, arguments.state, arguments.data, name, arguments.threads)
    lines = "\n".join(table(arguments.state))
    print(lines)
    if arguments.output:
        with open(arguments.output, "w") as file:
            file.write(lines + "\n")


if __name__ == "__main__":
    main()
