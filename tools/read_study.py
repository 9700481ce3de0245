#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a study as rows, with nothing but Python's standard library.

  from read_study import rows
  table = rows("trials.json")                       # of `muxnet search export --format json`
  table = rows(study="digits", storage="runs/studies.db")   # runs that command itself
  best = min((row for row in table if row["state"] == "complete"), key=lambda row: row["error"])
  pandas.DataFrame(table)                           # for those who have it

Each row is a dictionary: number, state, target, the objectives by name, each gene with what its
choice means (16, 0.5, "-1.0.0.1"), `index.GENE` with the number of the choice, seconds, times as
datetime, worker, reason, key, blocks, and the attributes as `attribute.NAME`.

  python tools/read_study.py trials.json            # prints the complete trials, best first
"""
import datetime
import json
import subprocess
import sys


def _time(text):
    if text is None:
        return None
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _row(trial, objectives):
    row = {name: trial.get(name) for name in ("number", "state", "target")}
    values = trial.get("objectives") or {}
    row.update({name: values.get(name) for name in objectives})
    row.update(trial["choices"])
    row.update({f"index.{name}": value for name, value in trial["genes"].items()})
    for name in ("violation", "attempt", "seconds", "worker", "reason", "key", "blocks"):
        row[name] = trial.get(name)
    row.update({name: _time(trial.get(name)) for name in ("created", "started", "finished")})
    row.update({f"attribute.{name}": text for name, text in trial["attributes"].items()})
    return row


def read(path=None, *, study=None, storage=None, program="muxnet"):
    """What `muxnet search export --format json` gives: `study` and `trials`."""
    if path is not None:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    command = [program, "search", "export", "--format", "json"]
    command += [study] if study else []
    command += ["--storage", storage] if storage else []
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(done.stderr.strip() or f"{program} ended with {done.returncode}")
    return json.loads(done.stdout)


def rows(path=None, *, study=None, storage=None, program="muxnet"):
    """The trials of a study, by number, a dictionary each."""
    whole = read(path, study=study, storage=storage, program=program)
    objectives = [each["name"] for each in whole["study"]["definition"]["objectives"]]
    return [_row(trial, objectives) for trial in whole["trials"]]


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    whole = read(sys.argv[1])
    objectives = [each["name"] for each in whole["study"]["definition"]["objectives"]]
    table = [row for row in rows(sys.argv[1]) if row["state"] == "complete"]
    for row in sorted(table, key=lambda row: row[objectives[0]]):
        values = ", ".join(f"{name} {row[name]:g}" for name in objectives)
        print(f"trial {row['number']}: {values}")


if __name__ == "__main__":
    main()
