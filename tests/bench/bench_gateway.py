#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The gateway beside HAProxy, nginx and Go's ReverseProxy: processor time per request, memory per idle connection, latencies.

One worker each on processor 0; load and backends on processor 1. Proxies take turns, round by round, so that what else the machine does
strikes all of them alike. Processor time is what the kernel counted for the proxy's processes, divided by the requests that the generator
counted. Read the ratios: microseconds are this machine's, at this hour.

usage: bench_gateway.py [--rounds N] [--seconds S] [--out FILE] [SCENE...]     (5 rounds of 4 seconds, all scenes)
       BUILD=DIR  where Meson built davit"""

import argparse
import glob
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from gateway_peers import LOAD_CPU, STARTERS, Backends, Place, Scene, await_port, free_port, there

REPORT = """
done = function(summary, latency, requests)
  local e = summary.errors
  print(string.format("%d %.0f %.0f %.0f %d", summary.requests, summary.requests * 1e6 / summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""

# Scene, how the load comes, who takes part.
ALL, NO_GO = ("davit", "haproxy", "nginx", "go"), ("davit", "haproxy", "nginx")
CASES = {
    "plain": (Scene("plain keep-alive"), "wrk", ALL),
    "weighted": (Scene("weighted, sticky, access log", weighted=True), "wrk", NO_GO),
    "connections": (Scene("a connection a request"), "wrk-close", NO_GO),
    "16k": (Scene("16 KB answers", path="/16k"), "wrk", ALL),
    "100k": (Scene("100 KB answers", path="/100k"), "wrk", ALL),
    "unix": (Scene("backends on UNIX sockets, weighted", weighted=True, unix=True), "wrk", NO_GO),
    "tls": (Scene("TLS keep-alive", tls=True), "wrk", NO_GO),
    "handshakes": (Scene("a TLS handshake a request", tls=True), "wrk-close", NO_GO),
    "http2": (Scene("HTTP/2 over TLS, 8 connections of 16 streams", tls=True), "h2load", NO_GO),
    "behind": (Scene("HTTP/2 over TLS, and HTTP/2 to the backends", tls=True, behind=True), "h2load", NO_GO),
    "mirror": (Scene("mirror 100 %", mirror=True), "wrk", ("davit", "nginx")),
}
IDLE = 9500
# What we want of davit's processor time, as a part of HAProxy's.
GOALS = {"weighted": 0.80, "unix": 0.85, "tls": 1.0, "http2": 1.0, "100k": 0.95}


def family(pid):
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [pid] + [one for child in children for one in family(int(child))]


def cpu_ns(pid):
    total = 0
    for one in family(pid):
        for path in glob.glob(f"/proc/{one}/task/*/schedstat"):
            try:
                with open(path, encoding="ascii") as file:
                    total += int(file.read().split()[0])
            except OSError:
                pass
    return total


def pss_bytes(pid):
    total = 0
    for one in family(pid):
        with open(f"/proc/{one}/smaps_rollup", encoding="ascii") as file:
            total += sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
    return total


def run_wrk(place, scene, port, seconds, close):
    command = ["taskset", "-c", LOAD_CPU, "wrk", "-t", "1", "-c", "64", "-d", str(seconds), "--latency", "-s", place.path("report.lua")]
    command += ["-H", "Connection: close"] if close else []
    command.append(f"http{'s' if scene.tls else ''}://127.0.0.1:{port}{scene.path}")
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    requests, rate, p50, p99, errors = map(int, out.strip().splitlines()[-1].split())
    return requests, rate, p50, p99, errors


def run_h2load(scene, port, seconds):
    out = subprocess.run(
        ["taskset", "-c", LOAD_CPU, "h2load", "-t1", "-c8", "-m16", "-D", str(seconds), f"https://127.0.0.1:{port}{scene.path}"],
        capture_output=True, text=True, check=True).stdout
    words = next(line for line in out.splitlines() if line.startswith("requests:")).replace(",", "").split()
    done, failed = int(words[words.index("done") - 1]), int(words[words.index("failed") - 1])
    if "Application protocol: h2" not in out:
        raise LookupError("no HTTP/2")
    return done, round(done / seconds), 0, 0, failed


def measure(place, how, scene, port, process, seconds):
    before = cpu_ns(process.pid)
    if how == "h2load":
        requests, rate, p50, p99, errors = run_h2load(scene, port, seconds)
    else:
        requests, rate, p50, p99, errors = run_wrk(place, scene, port, seconds, how == "wrk-close")
    if requests == 0:
        raise RuntimeError("no request was answered")
    return {"us": (cpu_ns(process.pid) - before) / requests / 1000, "rate": rate, "p50": p50, "p99": p99, "errors": errors}


def run_case(place, backends, case, options):
    scene, how, names = CASES[case]
    names = [name for name in names if there(name)]
    ports = {name: free_port() for name in names}
    running, rows = {}, {name: [] for name in names}
    for name in names:
        running[name] = STARTERS[name](place, backends, scene, ports[name], options.davit)
        await_port(ports[name])
    for round_number in range(options.rounds):
        for i in range(len(names)):
            name = names[(round_number + i) % len(names)]
            if name not in running:
                continue
            try:
                rows[name].append(measure(place, how, scene, ports[name], running[name], options.seconds))
            except LookupError:
                place.stop(running.pop(name))
    for process in running.values():
        place.stop(process)
    return scene, {name: runs for name, runs in rows.items() if runs}


def ratio_to(rows, name):
    """davit's processor time as a part of another's: the median over the rounds, in each of which both had their turn."""
    if name not in rows or "davit" not in rows:
        return None
    return statistics.median(ours["us"] / theirs["us"] for ours, theirs in zip(rows["davit"], rows[name]))


def summary(results, say):
    say("\n### In short: davit's processor time, and what part it is of the others'\n")
    say("| what is done | davit, µs | of HAProxy's | goal | of nginx's | of Go's |\n|---|---|---|---|---|---|")
    for case, (scene, rows) in results.items():
        parts = {name: ratio_to(rows, name) for name in ("haproxy", "nginx", "go")}
        text = {name: "" if part is None else f"{part:.2f}" for name, part in parts.items()}
        own = statistics.median(run["us"] for run in rows["davit"]) if "davit" in rows else 0
        goal = f"{GOALS[case]:.2f}" if case in GOALS else ""
        say(f"| {scene.name} | {own:.1f} | {text['haproxy']} | {goal} | {text['nginx']} | {text['go']} |")


def table(scene, rows, say):
    say(f"\n### {scene.name}\n")
    say("| gateway | CPU µs a request, median [min-max] | requests/s | p50 µs | p99 µs | CPU, davit's is so much of it |")
    say("|---|---|---|---|---|---|")
    median = statistics.median
    for name, runs in rows.items():
        us = [run["us"] for run in runs]
        ratio = ratio_to(rows, name)
        late = ["" if not runs[0][p] else f"{median(run[p] for run in runs):.0f}" for p in ("p50", "p99")]
        say(f"| {name} | {median(us):.1f} [{min(us):.1f}-{max(us):.1f}] | {median(run['rate'] for run in runs):.0f} | "
            f"{late[0]} | {late[1]} | {'' if name == 'davit' or ratio is None else f'{ratio:.2f}'} |")
        errors = sum(run["errors"] for run in runs)
        if errors:
            say(f"\n{name}: {errors} errors\n")


def idle_bytes(place, backends, name, options):
    """Proportional memory of a connection that has had one answer and waits."""
    port = free_port()
    process = STARTERS[name](place, backends, Scene("idle"), port, options.davit)
    await_port(port)
    count = min(IDLE, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)

    def connect(number):
        made = []
        for _ in range(number):
            s = socket.create_connection(("127.0.0.1", port), 10)
            s.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
            s.recv(65536)
            made.append(s)
        return made

    warm = connect(100)
    before = pss_bytes(process.pid)
    idle = connect(count)
    result = (pss_bytes(process.pid) - before) / count
    for s in warm + idle:
        s.close()
    place.stop(process)
    return result, count


def paced(place, backends, options, say):
    """Latencies at a rate that nobody is near his limit at, from when a request was due (not from when it could be sent)."""
    say("\n### Latency at 1,500 requests/s, from the instant at which each was due\n")
    say("| gateway | p50 µs | p99 µs |\n|---|---|---|")
    for name in [n for n in NO_GO if there(n)]:
        port = free_port()
        process = STARTERS[name](place, backends, Scene("paced", weighted=True), port, options.davit)
        await_port(port)
        out = place.path(f"paced-{name}.json")
        subprocess.run(["taskset", "-c", LOAD_CPU, options.load, "--url", f"http://127.0.0.1:{port}", "--rate", "1500",
                        "--duration", f"{max(2, options.seconds)}s", "--mix", "get=100", "--out", out],
                       check=False, capture_output=True)
        with open(out, encoding="utf-8") as file:
            seen = json.loads(file.read().strip().splitlines()[-1])
        place.stop(process)
        say(f"| {name} | {1000 * seen['latency_ms']['get']['p50']:.0f} | {1000 * seen['latency_ms']['get']['p99']:.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--out")
    parser.add_argument("scenes", nargs="*", help=f"of {', '.join(CASES)}, idle")
    options = parser.parse_args()
    build = os.environ.get("BUILD", "build")
    options.davit, options.load = os.path.abspath(f"{build}/davit"), os.path.abspath(f"{build}/tests/load/davit-load")
    missing = [tool for tool in ("wrk", "taskset", "nginx", "haproxy", "openssl", "h2load") if not shutil.which(tool)]
    if missing or os.cpu_count() < 2:
        sys.exit(f"bench_gateway: {', '.join(missing) or 'two processors'} missing: run tools/deps.sh")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    lines = []

    def say(text):
        print(text, flush=True)
        lines.append(text)

    with tempfile.TemporaryDirectory(prefix="davit-bench.") as directory:
        place = Place(directory)
        try:
            place.write("report.lua", REPORT)
            subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj",
                            "/CN=bench", "-keyout", place.path("key.pem"), "-out", place.path("cert.pem")], check=True, capture_output=True)
            with open(place.path("cert.pem"), encoding="ascii") as cert, open(place.path("key.pem"), encoding="ascii") as key:
                place.write("both.pem", cert.read() + key.read())
            backends = Backends(place)
            plain, results = None, {}
            for case in options.scenes or CASES:
                if case == "idle":
                    continue
                scene, rows = run_case(place, backends, case, options)
                results[case] = scene, rows
                table(scene, rows, say)
                own = statistics.median(run["us"] for run in rows["davit"]) if "davit" in rows else None
                plain = own if case == "plain" else plain
                if case == "mirror" and plain and own:
                    say(f"\ndavit with a mirror takes {own / plain:.2f} times what it takes without one.")
            summary(results, say)
            if not options.scenes or "idle" in options.scenes:
                paced(place, backends, options, say)
                say("\n### Memory of an idle connection\n\n| gateway | bytes each |\n|---|---|")
                for name in [n for n in NO_GO if there(n)]:
                    each, count = idle_bytes(place, backends, name, options)
                    say(f"| {name} | {each:.0f} ({count} connections) |")
        except RuntimeError as error:
            with open(place.path("log"), encoding="utf-8", errors="replace") as log:
                sys.exit(f"bench_gateway: {error}; what the programs said:\n{log.read()[-2000:]}")
        finally:
            place.stop_all()
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    print("1 passed, 0 failed")


if __name__ == "__main__":
    start = time.monotonic()
    main()
    print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)
