#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What newcomers stumbled over, and what the program prints there now: makes the table of Docs/FRICTIONS.md.

    tools/frictions.py .build/release/muxnet > Docs/FRICTIONS.md

Every command is run, in a temporary folder with small data made of the digits. Needs Python alone.
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

HEAD = """# What newcomers stumbled over

Four people used the program for a first day and noted each friction (harm A: stops or silently misleads; B:
costs an hour; C: annoys). Each stands here with a command and what it prints now: the first lines, long ones
cut (…). `tools/frictions.py PROGRAM` runs all of them and prints this page. "Later" names the work that a
friction belongs to.
"""


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(path, pixel, orientation=None):
    """A 16×16 grey PNG, with an EXIF orientation if there is one."""
    rows = b"".join(b"\0" + bytes(pixel(x, y) for x in range(16)) for y in range(16))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0))
    if orientation:
        entry = struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0)
        data += chunk(b"eXIf", b"II*\0" + struct.pack("<IH", 8, 1) + entry + b"\0\0\0\0")
    data += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    with open(path, "wb") as file:
        file.write(data)


class Session:
    def __init__(self, program, folder):
        self.folder = folder
        os.makedirs(f"{folder}/bin")
        os.symlink(os.path.abspath(program), f"{folder}/bin/muxnet")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("MUXNET_")}
        # Threads that spin while they wait slow a busy machine.
        self.environment.setdefault("OMP_WAIT_POLICY", "passive")
        self.environment["PATH"] = f"{folder}/bin:{self.environment['PATH']}"

    def run(self, command):
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout.replace(self.folder + "/", ""), done.returncode

    def prepare(self):
        for command in [
            "muxnet data export flat --recipe digits --part test --limit 120",
            "mkdir parts && mkdir parts/train parts/test",
            "cp -r flat/0 flat/1 flat/2 flat/3 parts/train && cp -r flat/0 flat/1 flat/2 flat/3 parts/test",
            "ln -s flat link",
            "mkdir -p odd/train odd/test && cp -r flat/0 flat/1 odd/train && echo no > odd/train/0/x.png"
            " && echo no > odd/train/0/y.heic && cp flat/1/* odd/train/1",
            "muxnet train --recipe digits --epochs 4 --name digits --quiet",
            "muxnet convert runs/digits digits.muxnet",
            "cp runs/digits/best.safetensors best.safetensors",
            f"muxnet search run demo {SEARCH} --trials 20 --budget small:params=10k,madds=200k"
            f" --budget tight:params=1.06k --evaluate {evaluation('$((MUXNET_TRIAL % 17 + 3))')}",
        ]:
            output, code = self.run(command)
            if code:
                sys.exit(f"{command}: {output}")
        png(f"{self.folder}/upright.png", lambda x, y: 255 if 6 < x < 9 else 0)
        # The same picture stored on its side, and a note which way it was held.
        png(f"{self.folder}/turned.png", lambda x, y: 255 if 6 < y < 9 else 0, orientation=6)


SEARCH = "--space digits --workers 1 --quiet"


def evaluation(error, more=""):
    """A command that evaluates with an error that the shell computes."""
    return f"""'echo "{{\\"error\\": {error}{more}}}"'"""


# id, harm, friction, command (None: none to run), lines shown, pattern of the lines shown, remark
FLAT = "--recipe digits --source folder --epochs 1 --set schedule.warmUp.epochs=0 --set data.testFraction=0"
WHOLE = FLAT + " --set data.validationFraction=0"
ROWS = [
    ("1.1", "A", "Swift API and `predict` prepared images differently",
     "muxnet describe digits.muxnet", 1, "preparation", "The packed file has the preparation; the runtime carries it out."),
    ("1.2", "A", "`InferencePlan` of a run's weights had other classes and normalisation",
     "muxnet describe best.safetensors", 2, "classes  |preparation", "The plan reads both from the file (tests of `MUXRuntime`)."),
    ("1.3", "A", "`classify(image, top: -1)` ended the process", "muxnet predict upright.png --weights best.safetensors --top=-1", 1, "",
     "In Swift an error, too, as every other argument."),
    ("1.4", "A", "Training photos by a recipe for thumbnails said nothing of 15 steps in all",
     f"muxnet train {FLAT} --data parts --name few", 4, "only|batch of", "The recipe `photos` is for photographs, from public weights."),
    ("1.5", "B", "Nothing said which product serves, and how a JPEG gets in", None, 0, "",
     "README, \"Use it in an app\": `MUXRuntime` with `MUXImages`; `Image` takes buffers with stride and pixel format; `MUXVision` decodes. Later: `CGImage`, `CVPixelBuffer`, NV12."),
    ("1.6", "B", "One engine per caller, no pool, no batch of images", None, 0, "",
     "`EnginePool`, `classify([Image])`. A sample of a server: `Samples/ClassifyServer`."),
    ("1.7", "B", "A folder of classes without `train` was refused", f"muxnet train {WHOLE} --data flat --name flat", 1, "held out", ""),
    ("1.7", "B", "The same where `val` was missing", f"muxnet train {WHOLE} --data parts --name none", 1, "", ""),
    ("1.8", "B", "`data check` stopped at the first empty part and passed over unread formats", "muxnet data check odd", 5, "", ""),
    ("1.9", "B", "EXIF orientation was not applied",
     "muxnet predict upright.png turned.png --weights best.safetensors --top 1", 2, "", "The second is stored on its side."),
    ("1.10", "C", "A checkout of another name, 28 packages to resolve, no tags", None, 0, "",
     "README shows `name:`. Later: fewer packages for the runtime alone; tags come with a release (Docs/RELEASING.md)."),
    ("1.11", "C", "`quantize` did not judge a poor result", "muxnet quantize runs/digits digits8.muxnet", 3, "", "Below 20 dB, or on little variety, it warns."),
    ("1.12", "C", "\"top-5 100.0 %\" of four classes", "muxnet evaluate --weights runs/few --part test", 1, "top-1", ""),
    ("1.12", "C", "Paths as `runs\\/pets` in JSON", "muxnet predict flat/0 --weights runs/digits --json --top 1 | grep path | head -n 1", 1, "", ""),
    ("1.13", "C", "A batch larger than the data was an error", f"muxnet train {FLAT} --data parts --batch-size 500 --name fitted", 1, "batch of", ""),
    ("1.13", "C", "`evaluate` refused a test folder that lacks a class",
     "mkdir -p less && cp -r parts/train less/ && mkdir less/test && cp -r flat/0 flat/1 less/test && muxnet evaluate --weights runs/few --data less --part test", 2, "", ""),
    ("2.1", "A", "No pretrained weights, no word where they are", None, 0, "", "`muxnet weights` lists, fetches and checks public ones; [TRANSFER.md](TRANSFER.md)."),
    ("2.2", "A", "Transfer to own photos failed on the data's kind, then on the head",
     f"muxnet train {FLAT} --data parts --initial-weights best.safetensors --name transfer", 1, "error", "The recipe `photos` makes a new head by itself."),
    ("2.3", "A", "Freezing, rates by group, class weights, focal loss", "muxnet settings model.freeze", 2, "", "[TRANSFER.md](TRANSFER.md) has the others, and distillation. Several labels per image: recipe `multilabel`."),
    ("2.4", "B", "No reference of settings", "muxnet settings optimizer.clipNorm", 5, "", "[TRAINING.md](TRAINING.md) has all of them."),
    ("2.4", "B", "`--dry-run` needed data", "muxnet train --recipe cifar10_scratch --dry-run | head -n 4", 4, "", ""),
    ("2.4", "B", "No recipe names in `train --help`", "muxnet train --help | grep -A 3 RECIPES", 4, "", ""),
    ("2.5", "B", "Recall only: no precision, F1, per-image list", None, 0, "", "`evaluate --per-class` and `--json` have them; a list of images and guesses: `predict --format csv`."),
    ("2.6", "B", "Half precision on a processor was slow without a word", "muxnet train --recipe digits --epochs 1 --set schedule.warmUp.epochs=0 --set precision=bfloat16 --quiet --name half", 1, "warning", ""),
    ("2.7", "B", "`convert` refused a run", "muxnet convert runs/digits digits.pth", 1, "", ""),
    ("2.7", "B", "`describe` refused runs and packed files", "muxnet describe digits.muxnet | grep -E 'file|format|task|precision|lanes'", 5, "", ""),
    ("2.7", "B", "`draw` refused runs", "muxnet draw runs/digits --output digits.svg", 1, "", ""),
    ("2.8", "B", "`predict` did not follow a link to a folder", "muxnet predict link --weights runs/digits --top 1 | head -n 2", 2, "", ""),
    ("2.9", "C", "`predict`: no CSV, no standard input", "muxnet predict - --weights runs/digits --format csv --top 2 < upright.png", 3, "", "`--augment flip` averages views; weights known by name have ImageNet's names. Later: Grad-CAM."),
    ("2.10", "C", "A bare `--resume` was wrong usage", "muxnet train --resume", 1, "going on", "Later: prolonging a finished run."),
    ("2.11", "C", "`data export --help` listed options of training", "muxnet data export --help | grep -cE 'epochs|device|time-budget' || true", 1, "", "Folds: `data.folds`. Later: comparison of runs, augmented previews."),
    ("2.12", "C", "ONNX metadata lacked mean and deviation", "muxnet convert runs/digits digits.onnx && strings -n 3 digits.onnx | grep -A 1 -E '^(mean|std)$' | head -n 4", 4, "", "Later: an image input of the Core ML package."),
    ("2.13", "C", "No suggestion for a family of names", "muxnet describe mobilnetv3", 1, "", ""),
    ("2.13", "C", "The same for `resnet18`", "muxnet describe resnet18", 1, "", ""),
    ("2.13", "C", "A detector given to `train` complained of dropout first", "muxnet train --recipe cifar_transfer --model ssdlite_muxnet_m --data none", 1, "", ""),
    ("2.13", "C", "An unknown name was reported after a missing folder", "muxnet train --model yolov8n --data none", 1, "", ""),
    ("2.13", "C", "A part that is missing: no word of `--part test`", "muxnet evaluate --weights best.safetensors --data parts", 1, "", ""),
    ("2.13", "C", "\"OF PEAK 113 %\" in 8 bits", "muxnet benchmark muxnet_digits --precision int8 --batch-size 1 --threads 1 --steps 2", 2, "OF PEAK|int8", ""),
    ("3.1", "A", "`search best` named a network that others beat in everything", "muxnet search best demo | cut -c 1-80", 3, "", "Only networks of the front are named."),
    ("3.2", "A", "A search under budgets took them for directions", "muxnet search create low --space digits --evaluate true --budget small:params=1k", 1, "", "`--budget` is a limit within which the least error is searched; whatever shows a target says whether it is kept, and by how much."),
    ("3.3", "A", "Every trial failed where the data had other classes than the space",
     "muxnet search create classes --space digits --recipe digits_search --set data.source=folder --data parts", 1, "classes", ""),
    ("3.4", "A", "`..` at the front of a folder of data was lost; no `--data`",
     "mkdir -p sub && cd sub && muxnet search create up --space digits --recipe digits_search --set data.source=folder --data ../none", 1, "", ""),
    ("3.5", "A", "Limits and objectives were ignored for tables", None, 0, "", "They hold for tables, too (tests of searches)."),
    ("3.6", "B", "No objectives of one's own; a text failed the trial",
     f"muxnet search run own {SEARCH} --trials 1 --objective energy:minimize:mJ:5 --evaluate "
     + evaluation(7, ', \\"energy\\": 3.5, \\"note\\": \\"x\\"')
     + " && muxnet search show own --trial 0 | grep -E 'energy|attribute'", 2, "", "`known` has parameters and multiply-adds always; `violation` is documented."),
    ("3.7", "B", "A wrong command was part of the study for ever",
     "muxnet search create wrong --space digits --evaluate nonsense && muxnet search edit wrong --evaluate true", 1, "retry", ""),
    ("3.8", "B", "Exports had the numbers of choices, not what they mean",
     "muxnet search export demo | head -n 1 | grep -o 'stem.value,stage1.width.value'", 1, "", "In JSON they are `choices`, and settings are without the coding of Swift."),
    ("3.9", "B", "No networks of one's own first in line, no copies, no ask and tell",
     "muxnet search create next --space digits --evaluate true && muxnet search enqueue next demo:best", 1, "networks? (is|are) next", "`search copy`, `edit --rename`, `ask`, `tell`, `create --from`; attributes are notes and tags."),
    ("3.10", "B", "Hypervolume 0 for whole studies",
     f"muxnet search run poor {SEARCH} --trials 3 --evaluate {evaluation('$((90 - MUXNET_TRIAL))')} && muxnet search show poor | grep hypervolume", 1, "", ""),
    ("3.11", "B", "The example of ask and tell did not compile", None, 0, "", "The examples in Swift of README, of pages and of modules compile in tests."),
    ("3.12", "C", "Ranges of targets came one error at a time", "muxnet search create out --space digits --evaluate true --target params=1,madds=1", 1, "", ""),
    ("3.12", "C", "No command that shows a space", "muxnet search space digits --samples 1 | head -n 4", 4, "", ""),
    ("3.13", "C", "Trials in the dashboard could not be sorted, filtered or compared; no log, no file of a network", None, 0, "", "`muxnet dashboard` does all of that."),
    ("3.14", "C", "What an evaluator printed was lost; no reader in Python",
     f"muxnet search run log {SEARCH} --trials 1 --evaluate {evaluation(7)[:1]}echo loading; {evaluation(7)[1:]} && muxnet search show log --trial 0 | grep log", 1, "^log", "`tools/read_study.py` needs Python alone."),
    ("4.1", "B", "Documentation without a way to open it on Linux", None, 0, "", "`scripts/docs --serve` shows one site with all modules."),
    ("4.2", "B", "README: 51 rows of networks before the first command", None, 0, "", "It begins with four things to do, what they print and how long they take; the table is in [NETWORKS.md](NETWORKS.md)."),
    ("4.3", "B", "CONTRIBUTING: one test, times, what runs without libtorch, releases, reports", None, 0, "", "All there."),
    ("4.4", "C", "Block strings were explained in Swift source only", "muxnet describe --help | grep -A 3 'BLOCK STRINGS'", 4, "", ""),
    ("4.5", "C", "Hard sentences in help and pages", None, 0, "", "The four that were named are said plainly. Later: INFERENCE in two pages, for users and for kernels."),
    ("4.6", "C", "Version without a tag", "muxnet --version", 1, "", "Docs/RELEASING.md: the tag is made with the release."),
]


def cell(text):
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).strip()
    if len(text) > 260:
        text = text[:260].rstrip() + " …"
    return text.replace("|", "\\|").replace("<", "&lt;")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = tempfile.mkdtemp(prefix="muxnet-frictions-")
    try:
        session = Session(sys.argv[1], folder)
        session.prepare()
        print(HEAD)
        print("| | harm | friction | command | what it prints now | |")
        print("| --- | --- | --- | --- | --- | --- |")
        for number, harm, friction, command, count, pattern, remark in ROWS:
            shown = ""
            if command:
                output, code = session.run(command)
                lines = [line for line in output.splitlines() if line.strip()]
                if pattern:
                    lines = [line for line in lines if re.search(pattern, line)]
                shown = "<br>".join(cell(line) for line in lines[:count])
                if not shown:
                    print(f"{number}: nothing to show of: {command}\n{output}", file=sys.stderr)
                if code:
                    shown += f"<br>(exit {code})"
            told = f"`{command}`".replace("|", "\\|") if command else "–"
            print(f"| {number} | {harm} | {friction} | {told} | {shown or '–'} | {remark} |", flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
