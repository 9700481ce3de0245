#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws a run's summary.csv as an SVG: a score of the validation images and the training loss by epoch.
No packages.

    tools/plot_summary.py runs/NAME/summary.csv curve.svg [COLUMN NAME]

COLUMN is the score, val_top1 unless another is named, and NAME what the picture calls it.
"""
import csv
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 56, 56, 24, 44


def scaled(values, low, high):
    """The points of a line; epochs without a value are passed over."""
    step = (WIDTH - LEFT - RIGHT) / max(len(values) - 1, 1)
    return " ".join(
        f"{LEFT + i * step:.1f},{HEIGHT - BOTTOM - (v - low) / (high - low) * (HEIGHT - TOP - BOTTOM):.1f}"
        for i, v in enumerate(values) if v is not None)


def main():
    if len(sys.argv) not in (3, 5):
        sys.exit(__doc__)
    column, name = sys.argv[3:] or ("val_top1", "top-1")
    with open(sys.argv[1]) as file:
        rows = list(csv.DictReader(file))
    score = [100 * float(row[column]) if row[column] else None for row in rows]
    loss = [float(row["train_loss"]) for row in rows]
    low, high = 10 * int(min(value for value in score if value is not None) // 10), 100
    most = max(loss) * 1.05
    grid = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#888" stroke-opacity=".3"/>'
        f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{value} %</text>'
        for value in range(low, high + 1, 10)
        for y in [HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)])
    step = (WIDTH - LEFT - RIGHT) / max(len(rows) - 1, 1)
    every = max(1, len(rows) // 15)
    ticks = "".join(
        f'<text x="{LEFT + i * step:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{row["epoch"]}</text>'
        for i, row in enumerate(rows) if i % every == 0)
    with open(sys.argv[2], "w") as file:
        file.write(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
            f' font-size="12" fill="#777">{grid}{ticks}'
            f'<polyline fill="none" stroke="#2878c8" stroke-width="2" points="{scaled(score, low, high)}"/>'
            f'<polyline fill="none" stroke="#d07020" stroke-width="2" points="{scaled(loss, 0, most)}"/>'
            f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">epoch</text>'
            f'<text x="{WIDTH - RIGHT}" y="16" text-anchor="end" fill="#2878c8">validation {name}</text>'
            f'<text x="{LEFT + 8}" y="16" fill="#d07020">training loss (0 to {most:.2f})</text></svg>\n')


if __name__ == "__main__":
    main()
