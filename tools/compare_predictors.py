#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Optuna's samplers and searches by predictors on the tables and targets of `muxnet search benchmark`.

  python tools/compare_predictors.py --data DATA --targets Sources/MUXSearch/Benchmarks/targets.json \
      --output results/search/predictors.csv

  optuna-nsga2   Optuna's NSGA-II of the three objectives, a population of 40
  optuna-tpe     Optuna's multivariate TPE of g, a study for each target, in turns
  bananas        an ensemble of five networks on one-hot genes predicts, mutations of the best are drawn by
                 independent Thompson sampling, ten at a time (White et al. 2021)
  nsganet2       of ridge regression, a tree, radial functions, a Gaussian process and a network the one that
                 predicts best in cross-validation (Kendall's tau) stands in for the error; NSGA-II searches on
                 it, eight of its front are evaluated at a time (Lu et al. 2020)

The last two predict the error alone and know parameters and multiply-adds exactly, as `guided` does. Networks
that are asked for again cost nothing. Every run is in OUTPUT as soon as it is done, and is not repeated when the
command is given again. Needs pymoo 0.6, Optuna 4, scikit-learn, PyTorch.
"""
import argparse
import csv
import json
import os
import time

import numpy as np

from search_tables import pbi, read

COLUMNS = ["table", "algorithm", "budget", "seed", "mean_g", "g1", "g2", "g3", "calls"]


class Evaluations:
    """Distinct networks in the order in which they were asked for."""

    def __init__(self, choices, objectives, directions, most):
        self.choices, self.objectives, self.most = choices, objectives, most
        self.directions = directions
        self.place = np.cumprod([1] + choices[::-1][:-1])[::-1]
        self.order, self.known, self.calls = [], set(), 0

    def index(self, genes):
        return np.asarray(genes, dtype=int) @ self.place

    def genes(self, indices):
        return (np.asarray(indices)[:, None] // self.place) % np.array(self.choices)

    def add(self, index):
        """Whether the network is new and within what may be spent."""
        self.calls += 1
        if index in self.known or self.done:
            return False
        self.known.add(index)
        self.order.append(int(index))
        return True

    @property
    def done(self):
        return len(self.order) >= self.most

    def random(self, generator, count):
        while count and not self.done:
            count -= self.add(generator.integers(len(self.objectives)))

    def one_hot(self, indices):
        genes = self.genes(indices)
        return np.concatenate(
            [np.eye(count)[genes[:, gene]] for gene, count in enumerate(self.choices)], axis=1)

    def neighbors(self, index, generator, mutations):
        genes = self.genes([index])[0]
        for _ in range(mutations):
            gene = generator.integers(len(genes))
            genes[gene] = generator.integers(self.choices[gene])
        return int(self.index(genes))


def optuna_nsga2(evaluations, seed):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        directions=["minimize"] * 3,
        sampler=optuna.samplers.NSGAIISampler(population_size=40, seed=seed))
    while not evaluations.done and evaluations.calls < 3 * evaluations.most:
        trial = study.ask()
        index = suggested(trial, evaluations)
        evaluations.add(index)
        study.tell(trial, evaluations.objectives[index].tolist())


def optuna_tpe(evaluations, seed):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    studies = [
        optuna.create_study(sampler=optuna.samplers.TPESampler(
            seed=10 * seed + target, multivariate=True, n_startup_trials=15))
        for target in range(len(evaluations.directions))]
    while not evaluations.done and evaluations.calls < 3 * evaluations.most:
        target = evaluations.calls % len(studies)
        trial = studies[target].ask()
        index = suggested(trial, evaluations)
        evaluations.add(index)
        value = pbi(evaluations.objectives[[index]], evaluations.directions[target])[0]
        studies[target].tell(trial, value)


def suggested(trial, evaluations):
    genes = [trial.suggest_categorical(f"g{gene}", list(range(count)))
             for gene, count in enumerate(evaluations.choices)]
    return int(evaluations.index(genes))


def ensemble(x, y, members, seed, epochs=200, width=64):
    """Networks of two hidden layers, trained side by side by Adam; gives their predictions, one row each."""
    import torch

    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    x = torch.tensor(x, dtype=torch.float32).expand(members, -1, -1)
    mean, spread = y.mean(), y.std() + 1e-9
    y = torch.tensor((y - mean) / spread, dtype=torch.float32).expand(members, -1)[..., None]
    sizes = [x.shape[-1], width, width, 1]
    weights = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        scale = (2 / inputs) ** 0.5
        weights.append(torch.randn(members, inputs, outputs, generator=generator) * scale)
        weights.append(torch.zeros(members, 1, outputs))
    for weight in weights:
        weight.requires_grad_()

    def forward(x):
        for place in range(0, 6, 2):
            x = torch.baddbmm(weights[place + 1], x, weights[place])
            x = torch.relu(x) if place < 4 else x
        return x

    optimizer = torch.optim.Adam(weights, lr=0.01)
    for _ in range(epochs):
        optimizer.zero_grad()
        (forward(x) - y).abs().mean(dim=(1, 2)).sum().backward()
        optimizer.step()

    def predict(x):
        with torch.no_grad():
            x = torch.tensor(x, dtype=torch.float32).expand(members, -1, -1)
            return forward(x)[..., 0].numpy() * spread + mean

    return predict


def bananas(evaluations, seed):
    generator = np.random.default_rng(seed)
    evaluations.random(generator, 20)
    rounds = 0
    while not evaluations.done and rounds < 100 * evaluations.most:
        seen = np.array(evaluations.order)
        predict = ensemble(evaluations.one_hot(seen), evaluations.objectives[seen, 0], 5, seed + rounds)
        for _ in range(10):
            direction = evaluations.directions[rounds % len(evaluations.directions)]
            rounds += 1
            order = np.argsort(pbi(evaluations.objectives[seen], direction))
            drawn = {evaluations.neighbors(seen[place], generator, mutations)
                     for place in order[:10] for mutations in [1] * 8 + [2] * 4}
            children = np.array(sorted(drawn - evaluations.known))
            if not len(children):
                evaluations.random(generator, 1)
                continue
            guesses = predict(evaluations.one_hot(children))
            points = evaluations.objectives[children].copy()
            points[:, 0] = generator.normal(guesses.mean(0), guesses.std(0) + 1e-9)
            evaluations.add(children[np.argmin(pbi(points, direction))])


def chosen_predictor(x, y, seed):
    """The predictor of the greatest rank correlation in cross-validation, fitted to all."""
    from scipy.interpolate import RBFInterpolator
    from scipy.stats import kendalltau
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, WhiteKernel
    from sklearn.linear_model import Ridge
    from sklearn.tree import DecisionTreeRegressor

    def fitted(model):
        def fit(x, y):
            return model().fit(x, y).predict
        return fit

    fits = [
        fitted(lambda: Ridge(1.0)), fitted(lambda: DecisionTreeRegressor(random_state=seed)),
        lambda x, y: RBFInterpolator(x, y, kernel="linear", smoothing=1e-3),
        fitted(lambda: GaussianProcessRegressor(
            2.0 * RBF(2.0) + WhiteKernel(0.05), optimizer=None, normalize_y=True)),
        lambda x, y: lambda z, p=ensemble(x, y, 1, seed, epochs=100): p(z)[0],
    ]
    folds = np.random.default_rng(seed).permutation(len(y)) % 5
    taus = []
    for fit in fits:
        guesses = np.empty(len(y))
        for fold in range(5):
            train = folds != fold
            guesses[~train] = fit(x[train], y[train])(x[~train])
        taus.append(np.nan_to_num(kendalltau(guesses, y).statistic, nan=-1))
    return fits[int(np.argmax(taus))](x, y)


def nsganet2(evaluations, seed):
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem
    from pymoo.optimize import minimize

    from compare_search import operators

    generator = np.random.default_rng(seed)
    evaluations.random(generator, 40)
    rounds = 0
    while not evaluations.done and rounds < evaluations.most:
        seen = np.array(evaluations.order)
        predict = chosen_predictor(
            evaluations.one_hot(seen), evaluations.objectives[seen, 0], seed + rounds)

        class Predicted(Problem):
            def __init__(self):
                super().__init__(n_var=len(evaluations.choices), n_obj=3, xl=0,
                                 xu=np.array(evaluations.choices) - 1, vtype=int)

            def _evaluate(self, x, out, *args, **kwargs):
                indices = evaluations.index(x)
                out["F"] = evaluations.objectives[indices].copy()
                out["F"][:, 0] = predict(evaluations.one_hot(indices))

        found = minimize(Predicted(), NSGA2(pop_size=40, **operators()), ("n_gen", 20), seed=seed + rounds)
        front = np.unique(evaluations.index(found.pop.get("X")))
        fresh = np.array([index for index in front if index not in evaluations.known])
        if not len(fresh):
            evaluations.random(generator, 8)
        else:
            # Eight that spread over the front: by the error that is predicted, in equal steps.
            order = fresh[np.argsort(predict(evaluations.one_hot(fresh)))]
            for place in np.unique(np.linspace(0, len(order) - 1, 8).round().astype(int)):
                evaluations.add(order[place])
        rounds += 1


RIVALS = {"optuna-nsga2": optuna_nsga2, "optuna-tpe": optuna_tpe, "bananas": bananas, "nsganet2": nsganet2}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--targets", required=True)
    parser.add_argument("--set", default="report", choices=["report", "tune"])
    parser.add_argument("--budgets", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tables", nargs="+", default=[
        "nas-bench-macro", "nas-bench-201", "nats-bench-cifar100", "nats-bench-imagenet16"])
    parser.add_argument("--rivals", nargs="+", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    with open(arguments.targets) as file:
        targets = json.load(file)
    done = set()
    if os.path.exists(arguments.output):
        with open(arguments.output) as file:
            done = {(row["table"], row["algorithm"], int(row["seed"])) for row in csv.DictReader(file)}
    else:
        with open(arguments.output, "w") as file:
            file.write(",".join(COLUMNS) + "\n")
    tables = {}
    for seed in range(arguments.seeds):
        for table in arguments.tables:
            if table not in tables:
                choices, values = read(arguments.data, table)
                scale = np.array([targets["errorScale"], values[:, 1].max(), values[:, 2].max()])
                directions = np.array(targets[table][arguments.set], dtype=float) / scale
                tables[table] = choices, values / scale, directions
            choices, objectives, directions = tables[table]
            for name in arguments.rivals:
                if (table, name, seed) in done:
                    continue
                start = time.process_time()
                evaluations = Evaluations(choices, objectives, directions, max(arguments.budgets))
                RIVALS[name](evaluations, seed)
                lines = []
                for budget in sorted(arguments.budgets):
                    points = objectives[evaluations.order[:budget]]
                    best = [pbi(points, direction).min() for direction in directions]
                    numbers = [f"{value:.8f}" for value in [np.mean(best), *best]]
                    lines.append(",".join([table, name, str(budget), str(seed), *numbers,
                                           str(evaluations.calls)]))
                with open(arguments.output, "a") as file:
                    file.write("\n".join(lines) + "\n")
                print(f"{table}, {name}, seed {seed}: {lines[-1].split(',')[4]}"
                      f" ({time.process_time() - start:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
