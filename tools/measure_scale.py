#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures large studies: what an ask and a result cost many workers, how large the storage is, how long pages,
reports and commands take.

    tools/measure_scale.py MUXNET --output FOLDER [--storage sqlite postgres] [--algorithm random moead guided]
        [--trials 1000 98000] [--workers 64] [--asks 2000] [--beside 49] [--folder FOLDER]

For each storage and algorithm `muxnet search asks` fills a study, beside many small ones, and starts the
workers, which ask and tell the rest; the evaluation itself takes no time. Numbers of trials take turns within one
run, so that other work on the machine hits all alike: the ratio says how an ask grows. PostgreSQL is a server of
its own in a new folder, with its usual settings but for the number of connections.
"""
import argparse
import csv
import json
import os
import pwd
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("muxnet")
    parser.add_argument("--output", help="where tables are written; else they are only printed")
    parser.add_argument("--storage", nargs="+", default=["sqlite", "postgres"], choices=["sqlite", "postgres"])
    parser.add_argument("--algorithm", nargs="+", default=["random", "moead", "guided"])
    parser.add_argument("--trials", nargs="+", type=int, default=[1000, 98000])
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--asks", type=int, default=2000)
    parser.add_argument("--beside", type=int, default=49)
    parser.add_argument("--folder", help="where storages lie while they are measured")
    return parser.parse_args()


class SQLite:
    def __init__(self, folder):
        self.path = os.path.join(folder, "scale.db")
        self.url = f"sqlite:///{self.path}"

    def size(self):
        return sum(os.path.getsize(self.path + end) for end in ("", "-wal") if os.path.exists(self.path + end))

    def close(self):
        pass


class Postgres:
    """A server on a free port of this machine, which does not run as root."""

    def __init__(self, folder):
        roots = sorted(os.listdir("/usr/lib/postgresql"), key=int) if os.path.isdir("/usr/lib/postgresql") else []
        self.binaries = f"/usr/lib/postgresql/{roots[-1]}/bin" if roots else os.path.dirname(shutil.which("initdb"))
        self.folder = os.path.join(folder, "pg")
        os.makedirs(self.folder)
        self.prefix = []
        if os.getuid() == 0:
            user = next(name for name in ("postgres", "nobody") if self.known(name))
            shutil.chown(self.folder, user)
            place = self.folder
            while place != "/":  # the server's user has to get there
                place = os.path.dirname(place)
                os.chmod(place, os.stat(place).st_mode | 0o011)
            self.prefix = ["runuser", "-u", user, "--"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.run("initdb", "-D", f"{self.folder}/data", "-U", "tester", "-A", "trust", "-N", "-E", "UTF8",
                 "--locale=C")
        self.server = subprocess.Popen(
            [*self.prefix, f"{self.binaries}/postgres", "-D", f"{self.folder}/data", "-h", "127.0.0.1", "-p",
             str(self.port), "-k", self.folder, "-c", "max_connections=200"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        while True:
            try:
                self.run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port))
                break
            except subprocess.CalledProcessError:
                time.sleep(0.1)
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tester", "scale")
        self.url = f"postgresql://tester@127.0.0.1:{self.port}/scale"

    @staticmethod
    def known(name):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            return None

    def run(self, program, *words):
        return subprocess.run([*self.prefix, f"{self.binaries}/{program}", *words], check=True, cwd="/",
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout

    def size(self):
        return int(self.run("psql", "-qtA", "-d", self.url, "-c", "SELECT pg_database_size('scale')"))

    def close(self):
        self.server.terminate()
        self.server.wait()


def asks(options, storage, algorithm):
    command = [options.muxnet, "search", "asks", "--storage", storage.url, "--algorithm", algorithm, "--workers",
               str(options.workers), "--asks", str(options.asks), "--beside", str(options.beside), "--json",
               "--trials", *map(str, options.trials)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def commands(options, storage, study, folder):
    """Seconds of commands on a study."""
    times = {}
    for name, words in {
        "search list": ["list"], "search best": ["best", study], "search pareto": ["pareto", study],
        "search show --trial": ["show", study, "--trial", "17"],
        "search report": ["report", study, "--output", f"{folder}/report.html", "--overwrite"],
        "search export": ["export", study, "--output", f"{folder}/trials.csv", "--overwrite"],
    }.items():
        start = time.monotonic()
        subprocess.run([options.muxnet, "search", *words, "--storage", storage.url], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times[name] = time.monotonic() - start
    times["report, MB"] = os.path.getsize(f"{folder}/report.html") / 1e6
    return times


def pages(options, storage, study, trials):
    """Milliseconds of the dashboard's pages: each the first time, again, and after the study has gone on; of the
    last also the processor's, which do not depend on what else the machine does."""
    start = time.monotonic()
    server = subprocess.Popen([options.muxnet, "dashboard", "--storage", storage.url, "--port", "0"],
                              stderr=subprocess.PIPE, text=True)
    address = re.search(r"http://[^/]+", server.stderr.readline()).group()
    beginning = time.monotonic() - start
    base = f"/studies/{study}"
    where = urllib.parse.quote("error<10")
    paths = {
        "all studies": "/", "the study": base, "its trials": f"{base}/trials",
        "trials, last page": f"{base}/trials?page={-(-trials // 100)}",
        "trials by error": f"{base}/trials?sort=error", "trials with a condition": f"{base}/trials?where={where}",
        "a trial": f"{base}/trials/{trials // 2}", "compare": f"{base}/compare?trial=1&trial=2",
    }
    times = {name: [] for name in paths}
    used = {name: [] for name in paths}

    def processor():
        words = open(f"/proc/{server.pid}/stat").read().rpartition(")")[2].split()
        return 1000 * (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def get(path):
        begin = time.monotonic()
        with urllib.request.urlopen(address + path) as answer:
            answer.read()
        return 1000 * (time.monotonic() - begin)

    def go_on():
        """Another trial, so that nothing that was made once can be given again."""
        words = [options.muxnet, "search", "ask", study, "--storage", storage.url]
        asked = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)
        trial = asked["trial"] if isinstance(asked, dict) else asked[0]["trial"]
        subprocess.run([options.muxnet, "search", "tell", study, str(trial), "error=50", "--storage", storage.url],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.6)

    try:
        first = {name: get(path) for name, path in paths.items()}
        again = {name: statistics.median(get(path) for _ in range(5)) for name, path in paths.items()}
        for _ in range(5):
            go_on()
            for name, path in paths.items():
                before = processor()
                times[name].append(get(path))
                used[name].append(processor() - before)
        changed = {name: statistics.median(values) for name, values in times.items()}
    finally:
        server.terminate()
        server.wait()
    return beginning, [(name, first[name], again[name], changed[name], statistics.mean(used[name]))
                       for name in paths]


def write(options, name, rows):
    if not options.output:
        return
    path = os.path.join(options.output, name)
    old = list(csv.reader(open(path)))[1:] if os.path.exists(path) else []
    storages = {row[0] for row in rows[1:]}
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [rows[0], *(row for row in old if row[0] not in storages), *rows[1:]])


def main():
    options = arguments()
    options.muxnet = os.path.abspath(options.muxnet)
    if options.output:
        os.makedirs(options.output, exist_ok=True)
    for kind in options.storage:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            storage = {"sqlite": SQLite, "postgres": Postgres}[kind](folder)
            try:
                table = [["storage", "algorithm", "trials", "workers", "asks a second", "ask ms", "ask p99 ms",
                          "slowest ask ms", "result ms", "result p99 ms", "start ms"]]
                for algorithm in options.algorithm:
                    rows = asks(options, storage, algorithm)
                    for row in rows:
                        table.append([kind, algorithm, row["trials"], row["workers"], *(
                            f"{row[key]:.2f}" for key in ("rate", "median", "percentile99", "slowest", "result",
                                                          "result99", "start"))])
                        print(*table[-1], sep=", ", flush=True)
                    if len(rows) > 1:
                        print(f"{kind}, {algorithm}: an ask costs {rows[-1]['median'] / rows[0]['median']:.2f} times"
                              f" that at {rows[0]['trials']} trials", flush=True)
                write(options, "asks.csv", table)
                study = f"asks-{options.algorithm[-1]}-{options.trials[-1]}"
                others = [["storage", "what", "value"], [kind, "size of the database, MB",
                                                         f"{storage.size() / 1e6:.1f}"]]
                others += [[kind, name if "MB" in name else f"{name}, s", f"{value:.2f}"]
                           for name, value in commands(options, storage, study, folder).items()]
                beginning, list_ = pages(options, storage, study, options.trials[-1] + options.asks)
                others.append([kind, "dashboard until it answers, s", f"{beginning:.2f}"])
                for row in others[1:]:
                    print(*row, sep=", ", flush=True)
                table = [["storage", "page", "first ms", "again ms", "after a change ms", "of the processor ms"]]
                for name, *values in list_:
                    table.append([kind, name, *(f"{value:.1f}" for value in values)])
                    print(*table[-1], sep=", ", flush=True)
                write(options, "pages.csv", table)
                write(options, "commands.csv", others)
            finally:
                storage.close()


if __name__ == "__main__":
    main()
