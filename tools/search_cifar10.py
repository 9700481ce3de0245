#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a search on CIFAR-10 found, trained in full: the best network of each target beside MobileNetV2
of equal multiply-adds, and some more networks of the study, for the rank correlation between the
errors of the search's short trainings and of full ones.

    muxnet search run cifar --space small --recipe cifar10_search --set data.path=CIFAR10 …
    python3 tools/search_cifar10.py cifar --data CIFAR10 --storage sqlite:////… --folder cifar-full

Every network is trained by the same recipe, --jobs at a time; a run that is there is kept, one that
was interrupted goes on. Validation images choose, test images are looked at once, at the end.
Needs Python's standard library only.
"""
import argparse
import concurrent.futures
import csv
import json
import os
import subprocess
import sys


def ranks(values):
    """Ranks from 1, ties sharing their mean."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    result = [0.0] * len(values)
    first = 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and values[order[last + 1]] == values[order[first]]:
            last += 1
        for place in range(first, last + 1):
            result[order[place]] = (first + last) / 2 + 1
        first = last + 1
    return result


def spearman(x, y):
    x, y = ranks(x), ranks(y)
    mean = (len(x) + 1) / 2
    products = [sum((a - mean) * (b - mean) for a, b in zip(u, v)) for u, v in ((x, y), (x, x), (y, y))]
    return products[0] / (products[1] * products[2]) ** 0.5


def kendall(x, y):
    """Kendall's τ-b."""
    together = apart = only_x = only_y = 0
    for i in range(len(x)):
        for j in range(i):
            a, b = x[i] - x[j], y[i] - y[j]
            if a * b > 0:
                together += 1
            elif a * b < 0:
                apart += 1
            elif a != 0:
                only_x += 1
            elif b != 0:
                only_y += 1
    pairs = ((together + apart + only_x) * (together + apart + only_y)) ** 0.5
    return (together - apart) / pairs


class Tool:
    def __init__(self, arguments):
        self.arguments = arguments
        self.storage = ["--storage", arguments.storage] if arguments.storage else []

    def run(self, *words, capture=True):
        done = subprocess.run(
            [self.arguments.muxnet, *words], stdout=subprocess.PIPE if capture else None, text=True)
        if done.returncode:
            raise RuntimeError(f"muxnet {' '.join(words)}: exit code {done.returncode}")
        return done.stdout

    def json(self, *words):
        return json.loads(self.run(*words, "--json"))

    def chosen(self):
        """The best trial of each target, and others spread evenly over the ranks of their errors."""
        study = self.arguments.study
        exported = json.loads(self.run("search", "export", study, "--format", "json", *self.storage))
        trials = [t for t in exported["trials"] if t["state"] == "complete"]
        best = {}  # one network may be the best for several targets
        for entry in self.json("search", "best", study, *self.storage):
            best.setdefault(entry["trial"], []).append(entry["target"])
        best = {trial: " ".join(targets) for trial, targets in best.items()}
        trials.sort(key=lambda t: (t["objectives"]["error"], t["number"]))
        others = [t for t in trials if t["number"] not in best]
        count = min(len(others), max(0, self.arguments.networks - len(best)))
        spread = {others[round((i + 0.5) * len(others) / count - 0.5)]["number"] for i in range(count)}
        return [(t, best.get(t["number"])) for t in trials
                if t["number"] in best or t["number"] in spread]

    def mobilenet(self, multiply_adds):
        """The width of the MobileNetV2 whose multiply-adds are nearest, by thousandths."""
        def cost(width):
            return self.json("describe", "mobilenetv2_100", "--width", f"{width / 1000:.3f}",
                             *self.changes())["multiplyAdds"]
        low, high = 50, 2000
        while low + 1 < high:
            middle = (low + high) // 2
            if cost(middle) < multiply_adds:
                low = middle
            else:
                high = middle
        return min((low, high), key=lambda width: abs(cost(width) - multiply_adds)) / 1000

    @staticmethod
    def changes():
        return ["--classes", "10", "--input-size", "32", "--output-stride", "8"]

    def train(self, name, model, settings):
        """The result of a full training, run if it is not there."""
        folder = os.path.join(self.arguments.folder, "runs", name)
        if not os.path.exists(os.path.join(folder, "result.json")):
            if os.path.exists(os.path.join(folder, "checkpoints")) and os.listdir(
                    os.path.join(folder, "checkpoints")):
                self.run("train", "--resume", folder, "--quiet", capture=False)
            else:
                words = ["train", "--recipe", self.arguments.recipe, "--data", self.arguments.data,
                         "--model", model, "--epochs", str(self.arguments.epochs), "--overwrite",
                         "--threads", str(self.arguments.threads), "--quiet",
                         "--output", os.path.dirname(folder), "--name", name]
                for setting in settings:
                    words += ["--set", setting]
                self.run(*words, capture=False)
        with open(os.path.join(folder, "result.json")) as file:
            return folder, json.load(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("study")
    parser.add_argument("--data", required=True, help="CIFAR-10 as folders train and test")
    parser.add_argument("--storage", help="where the study is kept (default: as muxnet's)")
    parser.add_argument("--folder", required=True, help="for networks, runs and networks.csv")
    parser.add_argument("--networks", type=int, default=15, help="of the study, in all")
    parser.add_argument("--recipe", default="cifar10_scratch")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--threads", type=int, default=0, help="of each training (0: all cores)")
    parser.add_argument("--muxnet", default=".build/release/muxnet")
    arguments = parser.parse_args()
    tool = Tool(arguments)
    networks = os.path.join(arguments.folder, "networks")
    os.makedirs(networks, exist_ok=True)

    work = []
    for trial, target in tool.chosen():
        name = f"trial-{trial['number']}"
        path = os.path.join(networks, f"{name}.yaml")
        tool.run("search", "show", arguments.study, "--trial", str(trial["number"]), "--network", path,
                 "--overwrite", *tool.storage)
        entry = dict(name=name, target=target or "", params=int(trial["objectives"]["params"]),
                     madds=int(trial["objectives"]["madds"]),
                     proxy_error=trial["objectives"]["error"])
        work.append((entry, path, []))
        if target:
            width = tool.mobilenet(trial["objectives"]["madds"])
            costs = tool.json("describe", "mobilenetv2_100", "--width", str(width), *tool.changes())
            work.append((
                dict(name=f"mobilenetv2-{width}", target=target, params=costs["parameters"],
                     madds=costs["multiplyAdds"], proxy_error=""),
                "mobilenetv2_100",
                [f"model.width={width}", "model.outputStride=8", "model.inputSize=32",
                 "model.classes=10"]))
    # What is compared first comes first.
    work.sort(key=lambda item: item[0]["target"] == "")

    def train(entry, model, settings):
        folder, result = tool.train(entry["name"], model, settings)
        scores = tool.json("evaluate", "--weights", folder, "--part", "test",
                           "--threads", str(arguments.threads))["scores"]
        entry["validation_error"] = round(100 * (1 - result["last"]["validation"]["top1"]), 3)
        entry["test_error"] = round(100 * (1 - scores["top1"]), 3)
        entry["seconds"] = round(result["seconds"])
        print(", ".join(f"{key} {value}" for key, value in entry.items()), flush=True)

    rows = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as executor:
        for done in concurrent.futures.as_completed([executor.submit(train, *one) for one in work]):
            if done.exception():
                executor.shutdown(cancel_futures=True)
                sys.exit(str(done.exception()))
            rows = [entry for entry, _, _ in work if "seconds" in entry]
            with open(os.path.join(arguments.folder, "networks.csv"), "w", newline="") as file:
                table = csv.DictWriter(file, list(rows[0]))
                table.writeheader()
                table.writerows(rows)
    pairs = [(row["proxy_error"], row["validation_error"], row["test_error"])
             for row in rows if row["proxy_error"] != ""]
    if len(pairs) > 2:
        proxy, validation, test = zip(*pairs)
        for part, errors in (("validation", validation), ("test", test)):
            print(f"{len(pairs)} networks, search against full {part} errors: Spearman"
                  f" {spearman(proxy, errors):.3f}, Kendall {kendall(proxy, errors):.3f}")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(str(error))
