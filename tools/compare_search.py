#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pymoo's MOEA/D and NSGA-II on the tables and targets of `muxnet search benchmark`.

  python tools/compare_search.py --data DATA --targets Sources/MUXSearch/Benchmarks/targets.json \
      --output results/search/pymoo.csv
  python tools/compare_search.py ... --timing --seeds 5 --output results/search/pymoo-seconds.csv

--timing measures processor time: of a plain run of 1,000 evaluations, where networks may repeat,
and of a run to a budget of 1,000 networks, as in the comparison.

DATA holds the tables (tools/search_tables.py); --tables also takes nats-bench-cifar10, -cifar100 and
-imagenet16. Needs pymoo 0.6.

pymoo is given every courtesy: the same objectives, divisors and ideal point (the origin), so that
its PBI is exactly the g that is reported; a network that it asks for again is answered from a cache
and costs no budget; MOEA/D runs with the targets' directions (repeated to its population) and with
uniform ones.
"""
import argparse
import csv
import json
import time

import numpy as np
from pymoo.algorithms.moo.moead import MOEAD
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.individual import Individual
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.decomposition.pbi import PBI
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.optimize import minimize
from pymoo.util.ref_dirs import get_reference_directions

from search_tables import pbi, read

class Table(Problem):
    def __init__(self, choices, objectives):
        super().__init__(
            n_var=len(choices), n_obj=3, xl=0, xu=np.array(choices) - 1, vtype=int
        )
        self.place = np.cumprod([1] + choices[::-1][:-1])[::-1]
        self.objectives = objectives

    def index(self, x):
        return np.asarray(x, dtype=int) @ self.place

    def _evaluate(self, x, out, *args, **kwargs):
        out["F"] = self.objectives[self.index(x)]


class PBIFromOrigin(PBI):
    """PBI with the ideal point at the origin, as the reported g has it."""

    def do(self, F, weights, **kwargs):
        kwargs["ideal_point"] = np.zeros(np.shape(F)[-1])
        kwargs.pop("utopian_point", None)
        return super().do(F, weights, **kwargs)


def operators():
    return dict(
        sampling=IntegerRandomSampling(),
        crossover=SBX(prob=1.0, eta=3.0, vtype=float, repair=RoundingRepair()),
        mutation=PM(prob=1.0, eta=3.0, vtype=float, repair=RoundingRepair()),
    )


def make(name, directions):
    if name == "pymoo-nsga2":
        return NSGA2(pop_size=40, **operators())
    if name == "pymoo-moead":
        references = np.repeat(directions, 13, axis=0)
    else:
        references = get_reference_directions("das-dennis", 3, n_partitions=7)
    return MOEAD(
        references, n_neighbors=20, prob_neighbor_mating=0.9,
        decomposition=PBIFromOrigin(theta=5), **operators()
    )


NAMES = ["pymoo-moead", "pymoo-moead-uniform", "pymoo-nsga2"]


def run(problem, name, directions, budgets, seed):
    """The best g of each target after each budget of distinct networks, and the calls."""
    algorithm = make(name, directions)
    algorithm.setup(problem, seed=seed, termination=("n_gen", 10**9), verbose=False)
    seen, order, calls, results = set(), [], 0, {}
    while len(order) < budgets[-1] and calls < 3 * budgets[-1]:
        asked = algorithm.ask()  # MOEA/D asks for one individual, NSGA-II for a population
        asked = Population.create(asked) if isinstance(asked, Individual) else asked
        algorithm.evaluator.eval(problem, asked)
        calls += len(asked)
        for index in problem.index(asked.get("X")).reshape(-1):
            if index not in seen:
                seen.add(index)
                order.append(index)
        algorithm.tell(infills=asked if len(asked) > 1 else asked[0])
    for budget in budgets:
        points = problem.objectives[order[:budget]]
        results[budget] = [pbi(points, direction).min() for direction in directions]
    return results, calls


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--targets", required=True)
    parser.add_argument("--set", default="report", choices=["report", "tune"])
    parser.add_argument("--budgets", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--tables", nargs="+", default=["nas-bench-macro", "nas-bench-201"])
    parser.add_argument("--output")
    parser.add_argument("--timing", action="store_true")
    arguments = parser.parse_args()
    with open(arguments.targets) as file:
        targets = json.load(file)
    rows = []
    for table in arguments.tables:
        choices, values = read(arguments.data, table)
        scale = np.array([targets["errorScale"], values[:, 1].max(), values[:, 2].max()])
        problem = Table(choices, values / scale)
        directions = np.array(targets[table][arguments.set], dtype=float) / scale
        optimum = [pbi(problem.objectives, d).min() for d in directions]
        print(table, "optimum", np.round(optimum, 5), "mean", round(float(np.mean(optimum)), 6))
        for name in NAMES:
            if arguments.timing:
                for seed in range(arguments.seeds):
                    begin = time.process_time()
                    minimize(problem, make(name, directions), ("n_eval", 1000), seed=seed)
                    plain = time.process_time() - begin
                    begin = time.process_time()
                    run(problem, name, directions, [1000], seed)
                    rows.append([table, name, seed, plain, time.process_time() - begin])
                medians = np.median([r[3:] for r in rows if r[:2] == [table, name]], axis=0)
                print(f"{table} {name}: {medians[0]:.3f} s for 1,000 evaluations,"
                      f" {medians[1]:.3f} s for 1,000 networks", flush=True)
                continue
            for seed in range(arguments.seeds):
                results, calls = run(
                    problem, name, directions, sorted(arguments.budgets), seed
                )
                for budget, best in results.items():
                    rows.append([table, name, budget, seed, np.mean(best), *best, calls])
            for budget in arguments.budgets:
                mean = np.mean([r[4] for r in rows if r[:3] == [table, name, budget]])
                print(f"{table} {name} {budget}: mean g {mean:.5f}", flush=True)
    if not arguments.output:
        return
    with open(arguments.output, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if arguments.timing:
            writer.writerow(["table", "algorithm", "seed", "seconds_plain", "seconds_budget"])
            writer.writerows(row[:3] + [f"{v:.4f}" for v in row[3:]] for row in rows)
            return
        writer.writerow(
            ["table", "algorithm", "budget", "seed", "mean_g", "g1", "g2", "g3", "calls"]
        )
        writer.writerows(row[:4] + [f"{v:.8f}" for v in row[4:8]] + [row[8]] for row in rows)


if __name__ == "__main__":
    main()
