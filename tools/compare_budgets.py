#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pymoo's constrained NSGA-II and Optuna's samplers within the budgets of `muxnet search benchmark`.

  muxnet search benchmark --goal budgets --draw-only --data DATA --output results/search --table …
  python tools/compare_budgets.py --data DATA --budgets results/search/budgets.csv \
      --output results/search/budget-rivals.csv

With --summary the table of what OUTPUT holds is printed. DATA holds the tables. Needs pymoo 0.6 and Optuna 4.

The rivals are given what they can use: both limits as constraints with their violation, relative to
the limit. A network that is asked for again is answered from a cache and costs nothing. pymoo's
NSGA-II is given the error alone as objective (`pymoo-nsga2`) and all three objectives
(`pymoo-nsga2-3`); Optuna's NSGA-II and TPE get the constraints by `constraints_func`, and
categorical choices.
"""
import argparse
import csv
import time

import numpy as np

from search_tables import read

class Evaluations:
    """Distinct networks in the order in which they were asked for."""

    def __init__(self, table, limits, most):
        self.table, self.limits, self.most = table, limits, most
        self.seen = []
        self.known = set()

    def add(self, index):
        if index not in self.known and len(self.seen) < self.most:
            self.known.add(index)
            self.seen.append(index)

    @property
    def done(self):
        return len(self.seen) >= self.most

    def excess(self, index):
        return self.table[index, 1:] / self.limits - 1

    def best(self):
        rows = self.table[self.seen]
        within = rows[(rows[:, 1:] <= self.limits).all(1)]
        return within[:, 0].min() if len(within) else np.inf


def pymoo_run(choices, table, limits, most, seed, objectives):
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem

    from compare_search import operators

    scale = table.max(0)
    place = np.cumprod([1] + choices[::-1][:-1])[::-1]
    evaluations = Evaluations(table, limits, most)

    class Limited(Problem):
        def __init__(self):
            super().__init__(
                n_var=len(choices), n_obj=objectives, n_ieq_constr=2, xl=0,
                xu=np.array(choices) - 1, vtype=int,
            )

        def _evaluate(self, x, out, *args, **kwargs):
            indices = np.asarray(x, dtype=int) @ place
            for index in indices:
                evaluations.add(int(index))
            out["F"] = (table[indices] / scale)[:, :objectives]
            out["G"] = table[indices, 1:] / limits - 1

    algorithm = NSGA2(pop_size=20, **operators())
    problem = Limited()
    algorithm.setup(problem, seed=seed, termination=("n_gen", 10**9), verbose=False)
    calls = 0
    while not evaluations.done and calls < 10 * most:
        asked = algorithm.ask()
        if asked is None or len(asked) == 0:
            break
        algorithm.evaluator.eval(problem, asked)
        calls += len(asked)
        algorithm.tell(infills=asked)
    return evaluations.best()


def optuna_run(choices, table, limits, most, seed, name):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    evaluations = Evaluations(table, limits, most)
    constraints = lambda trial: trial.user_attrs["excess"]
    if name == "optuna-nsga2":
        sampler = optuna.samplers.NSGAIISampler(
            population_size=20, seed=seed, constraints_func=constraints
        )
    else:
        sampler = optuna.samplers.TPESampler(
            seed=seed, constraints_func=constraints, multivariate=True, n_startup_trials=15
        )
    study = optuna.create_study(sampler=sampler)
    calls = 0
    while not evaluations.done and calls < 3 * most:
        trial = study.ask()
        calls += 1
        index = 0
        for gene, count in enumerate(choices):
            index = index * count + trial.suggest_categorical(f"g{gene}", list(range(count)))
        evaluations.add(index)
        trial.set_user_attr("excess", evaluations.excess(index).tolist())
        study.tell(trial, table[index, 0])
    return evaluations.best()


RIVALS = {
    "pymoo-nsga2": lambda *run: pymoo_run(*run, 1),
    "pymoo-nsga2-3": lambda *run: pymoo_run(*run, 3),
    "optuna-nsga2": lambda *run: optuna_run(*run, "optuna-nsga2"),
    "optuna-tpe": lambda *run: optuna_run(*run, "optuna-tpe"),
}


def summary(path, budgets):
    """A line of a table for each table and rival: the shares near to the best of a budget and at it."""
    best = {(row["table"], row["budget"]): float(row["best_error"]) for row in budgets}
    excesses = {}
    with open(path) as file:
        for row in csv.DictReader(file):
            least = best[row["table"], row["budget"]]
            excess = (float(row["error"]) - least) / least
            excesses.setdefault((row["table"], row["algorithm"]), []).append(excess)
    yield "| table | rival | searches | near | the best | mean above the best | worst |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    for (table, rival), values in sorted(excesses.items()):
        values, near = np.array(values), 0.02 if "macro" in table else 0.05
        yield (f"| {table} | {rival} | {len(values)} | {(values <= near).mean():.1%} "
               f"| {(values < 1e-6).mean():.1%} | {values[np.isfinite(values)].mean():.2%} "
               f"| {values.max():.1%} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--budgets", required=True)
    parser.add_argument("--networks", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rivals", nargs="+", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--output", required=True)
    parser.add_argument("--summary", action="store_true", help="no search: the table of what OUTPUT holds")
    arguments = parser.parse_args()
    with open(arguments.budgets) as file:
        budgets = list(csv.DictReader(file))
    if arguments.summary:
        print("\n".join(summary(arguments.output, budgets)))
        return
    tables = {}
    with open(arguments.output, "w") as file:
        file.write("table,algorithm,budget,seed,error\n")
        for seed in range(arguments.seeds):
            for name in arguments.rivals:
                start = time.process_time()
                for budget in budgets:
                    key = budget["table"]
                    if key not in tables:
                        tables[key] = read(arguments.data, key)
                    choices, table = tables[key]
                    limits = np.array([float(budget["params"]), float(budget["madds"])])
                    error = RIVALS[name](choices, table, limits, arguments.networks, seed)
                    file.write(f"{key},{name},{budget['budget']},{seed},{error}\n")
                    file.flush()
                print(f"{name}, seed {seed}: {time.process_time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
