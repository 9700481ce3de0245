#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How far a super-network ranks networks as trainings of their own do.

    muxnet search supernet train digits --recipe digits_supernet
    python3 tools/supernet_ranks.py runs/muxnet_digits_supernet --recipe digits_search \\
      --random 24 --seeds 3 --epochs 30 --folder ranks

Networks are drawn from the space by --seed (--random, within --madds), or are files (--networks); errors of
trainings that were done before come from --results (a table with name and validation_error). Each network is
trained alone, once for each of --seeds; what is there is kept, what was interrupted goes on. Then the
super-network judges all of them, with statistics of batch norms that are measured anew and with those that
all networks share. Kendall's tau-b and Spearman's rho over all networks, and over those within --band, each
with the 95 % interval of 2,000 bootstrap samples. A network that fails is named, and the others go on.
Writes ranks.csv and ranks.json into --folder. Needs Python's standard library only.
"""
import argparse
import csv
import glob
import json
import os
import random
import subprocess
import sys

from search_cifar10 import kendall, spearman


def number(text):
    factors = {"k": 1e3, "M": 1e6, "G": 1e9}
    return float(text[:-1]) * factors[text[-1]] if text[-1] in factors else float(text)


def interval(statistic, x, y, samples=2000):
    """The statistic and its 95 % bootstrap interval; None where it is not defined."""
    def value(places):
        u, v = [x[i] for i in places], [y[i] for i in places]
        if len(set(u)) < 2 or len(set(v)) < 2:
            return None
        return statistic(u, v)

    if len(x) < 3:
        return None
    generator = random.Random(1)
    drawn = [value([generator.randrange(len(x)) for _ in x]) for _ in range(samples)]
    drawn = sorted(v for v in drawn if v is not None)
    whole = value(range(len(x)))
    if whole is None or not drawn:
        return None
    return [round(v, 3) for v in (whole, drawn[int(0.025 * len(drawn))], drawn[int(0.975 * len(drawn)) - 1])]


class Tool:
    def __init__(self, arguments):
        self.arguments = arguments

    def muxnet(self, *words, check=True):
        done = subprocess.run([self.arguments.muxnet, *words], stdout=subprocess.PIPE, text=True)
        if check and done.returncode:
            raise RuntimeError(f"muxnet {' '.join(words[:6])} …: exit code {done.returncode}")
        return done.stdout

    def train(self, path, name, seed):
        """The error on the validation images after a training of its own, run if it is not there."""
        arguments = self.arguments
        folder = os.path.join(arguments.folder, "runs", f"{name}-{seed}")
        if not os.path.exists(os.path.join(folder, "result.json")):
            checkpoints = os.path.join(folder, "checkpoints")
            if os.path.isdir(checkpoints) and os.listdir(checkpoints):
                self.muxnet("train", "--resume", folder, "--quiet")
            else:
                words = ["train", "--recipe", arguments.recipe, "--model", path, "--seed", str(seed), "--quiet",
                         "--overwrite", "--output", os.path.dirname(folder), "--name", os.path.basename(folder)]
                if arguments.data:
                    words += ["--data", arguments.data]
                if arguments.epochs:
                    words += ["--epochs", str(arguments.epochs),
                              "--set", f"evaluateEveryEpochs={arguments.epochs}"]
                for setting in arguments.set:
                    words += ["--set", setting]
                self.muxnet(*words)
        with open(os.path.join(folder, "result.json")) as file:
            return 100 * (1 - json.load(file)["last"]["validation"]["top1"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("run", help="the folder of the super-network's run")
    parser.add_argument("--folder", required=True, help="for networks, runs and ranks")
    parser.add_argument("--recipe", help="of the trainings of their own")
    parser.add_argument("--data")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each network, whose errors are averaged")
    parser.add_argument("--random", type=int, default=0, help="networks drawn from the space")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn")
    parser.add_argument("--madds", help="LEAST,MOST of what is drawn")
    parser.add_argument("--networks", nargs="*", default=[], help="files of networks")
    parser.add_argument("--results", help="a table of trainings that were done before")
    parser.add_argument("--band", action="append", default=[], help="LEAST,MOST multiply-adds of a narrow band")
    parser.add_argument("--muxnet", default=".build/release/muxnet")
    arguments = parser.parse_args()
    tool = Tool(arguments)
    drawn = os.path.join(arguments.folder, "networks")
    os.makedirs(drawn, exist_ok=True)
    if arguments.random:
        words = ["search", "supernet", "evaluate", arguments.run, "--random", str(arguments.random),
                 "--seed", str(arguments.seed), "--networks", drawn, "--json"]
        tool.muxnet(*words, *(["--madds", arguments.madds] if arguments.madds else []))
    files = list(arguments.networks)
    if arguments.random:
        files += [os.path.join(drawn, f"drawn-{i + 1}.yaml") for i in range(arguments.random)]
    known = {}
    if arguments.results:
        with open(arguments.results) as file:
            known = {row["name"]: float(row["validation_error"]) for row in csv.DictReader(file)}

    rows, failed = [], []
    for path in files:
        name = os.path.splitext(os.path.basename(path))[0]
        try:
            if name in known:
                errors = [known[name]]
            else:
                if not arguments.recipe:
                    raise RuntimeError("it has no result in --results, and there is no --recipe to train it by")
                errors = [tool.train(path, name, seed) for seed in range(arguments.seeds)]
            judged = json.loads(tool.muxnet("search", "supernet", "evaluate", arguments.run, path, "--json"))[0]
        except (RuntimeError, KeyError, ValueError, OSError, IndexError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed.append(name)
            continue
        rows.append({
            "name": name, "params": judged["params"], "madds": judged["madds"],
            "error": round(sum(errors) / len(errors), 3), "supernet": round(judged["error"], 3),
            "supernet_unmeasured": round(judged["errorUnmeasured"], 3), "seconds": round(judged["seconds"], 2),
            "trainings": len(errors)})
        print(f"{name}: {rows[-1]['error']:.2f} % alone, {rows[-1]['supernet']:.2f} % shared", file=sys.stderr)
    if not rows:
        sys.exit("no network has both errors; see above")

    rows.sort(key=lambda row: row["madds"])
    with open(os.path.join(arguments.folder, "ranks.csv"), "w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)

    def ranks(rows):
        errors = [row["error"] for row in rows]
        result = {"networks": len(rows)}
        for label, values in [("measured", [row["supernet"] for row in rows]),
                              ("unmeasured", [row["supernet_unmeasured"] for row in rows]),
                              ("multiply-adds", [-row["madds"] for row in rows])]:
            result[label] = {"tau": interval(kendall, values, errors), "rho": interval(spearman, values, errors)}
        return result

    summary = {"all": ranks(rows), "failed": failed}
    for band in arguments.band:
        least, most = (number(part) for part in band.split(","))
        summary[band] = ranks([row for row in rows if least <= row["madds"] <= most])
    with open(os.path.join(arguments.folder, "ranks.json"), "w") as file:
        json.dump(summary, file, indent=1)
        file.write("\n")
    json.dump(summary, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
