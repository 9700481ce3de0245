#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens the event files of a run with the real TensorBoard and compares them with summary.csv.

    pip install tensorboard
    python3 tools/check_tensorboard.py runs/NAME

Checks that every record has right checksums, that each tag has increasing steps (also after a
resume), and that the validation accuracies are those of summary.csv.
"""
import csv
import glob
import os
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader


def main(folder: str) -> int:
    pattern = os.path.join(folder, "**", "events.out.tfevents.*")
    files = sorted(glob.glob(pattern, recursive=True))
    if not files:
        print(f"error: no event files under {folder}")
        return 1
    for file in files:
        events = list(EventFileLoader(file).Load())  # raises on a wrong checksum
        print(f"{file}: {len(events)} events")
        assert events[0].file_version == "brain.Event:2", "no version record at the start"
    accumulator = EventAccumulator(os.path.dirname(files[0]), size_guidance={"scalars": 0})
    accumulator.Reload()
    tags = accumulator.Tags()["scalars"]
    values = {}
    for tag in tags:
        points = accumulator.Scalars(tag)
        steps = [point.step for point in points]
        assert steps == sorted(set(steps)), f"{tag}: steps are not increasing"
        values[tag] = [point.value for point in points]
        print(f"{tag}: {len(points)} points, steps {steps[0]} to {steps[-1]}")
    summary = os.path.join(folder, "summary.csv")
    if os.path.exists(summary):
        with open(summary) as file:
            rows = list(csv.DictReader(file))
        expected = [float(row["val_top1"]) for row in rows if row["val_top1"]]
        found = values.get("validation/top1")
        assert found is not None, "no tag of the validation accuracy"
        assert len(found) == len(expected), f"{len(found)} points for {len(expected)} epochs"
        for a, b in zip(found, expected):
            assert abs(a - b) <= 1e-4 * max(abs(b), 1e-4), f"{a} in the events, {b} in the table"
        print(f"{len(expected)} validation accuracies agree with summary.csv")
    print("all good")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else print(__doc__) or 64)
