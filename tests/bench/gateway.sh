#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# gateway.sh - processor time per request: davit's gateway beside HAProxy and nginx, in one run.
#
# WHAT  Each proxy splits requests 90 : 10 over two backends and adds the forwarding headers. Backends are
#       two nginx workers that answer 200 with 91 bytes. Proxy on processor 0; wrk (64 connections, keep-alive)
#       and backends on processor 1. Proxies take turns, ROUNDS times, so that what else the machine does
#       strikes all of them. Processor time is what the kernel counted for the proxy's processes
#       (/proc/PID/task/*/schedstat), divided by the requests that wrk counted.
#
# usage: tests/bench/gateway.sh [ROUNDS [SECONDS]]     (5 rounds of 4 seconds)
#        BUILD=DIR  where Meson built davit            OUT=FILE  also write the table there
# Read the ratios; the microseconds are this machine's, at this hour.
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$(cd "${BUILD:-$ROOT/build}" && pwd)
ROUNDS=${1:-5} SECONDS_EACH=${2:-4}
DIR=$(mktemp -d /tmp/davit-bench.XXXXXX)
PIDS=()
declare -A PROXY

cleanup() {
	for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
	wait 2>/dev/null || true
	rm -rf "$DIR"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

for tool in wrk haproxy nginx taskset python3 jq; do
	command -v "$tool" >/dev/null || { echo "gateway.sh: $tool is missing: run tools/deps.sh" >&2; exit 2; }
done
[ "$(nproc)" -ge 2 ] || { echo "gateway.sh: needs two processors" >&2; exit 2; }

mapfile -t PORT < <(python3 -c '
import socket
all = [socket.socket() for _ in range(5)]
for s in all:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])')

wait_port() {
	local deadline=$((SECONDS + 10))
	until curl -sf -o /dev/null "http://127.0.0.1:$1/"; do
		((SECONDS < deadline)) || { echo "gateway.sh: nothing answers on port $1" >&2; exit 1; }
		sleep 0.05
	done
}

start_backends() {
	local text
	text=$(printf '%091d' 0)
	cat >"$DIR/backend.conf" <<CONF
worker_processes 1; daemon off; pid $DIR/backend.pid; error_log $DIR/backend.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h;
  server { listen 127.0.0.1:${PORT[0]} backlog=4096; location / { return 200 "$text"; } }
  server { listen 127.0.0.1:${PORT[1]} backlog=4096; location / { return 200 "$text"; } }
}
CONF
	taskset -c 1 nginx -e "$DIR/backend.log" -c "$DIR/backend.conf" &
	PIDS+=($!)
	wait_port "${PORT[0]}"
}

start_nginx() {
	cat >"$DIR/nginx.conf" <<CONF
worker_processes 1; daemon off; pid $DIR/nginx.pid; error_log $DIR/nginx.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h;
  split_clients "\$request_id" \$to { 10% two; * one; }
  upstream one { server 127.0.0.1:${PORT[0]}; keepalive 256; keepalive_requests 1000000000; }
  upstream two { server 127.0.0.1:${PORT[1]}; keepalive 256; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${PORT[2]} backlog=4096;
    location / { proxy_pass http://\$to; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host \$host; proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto \$scheme; } }
}
CONF
	taskset -c 0 nginx -e "$DIR/nginx.log" -c "$DIR/nginx.conf" &
	PIDS+=($!)
	PROXY[nginx]=$!
	wait_port "${PORT[2]}"
}

start_haproxy() {
	cat >"$DIR/haproxy.cfg" <<CONF
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  http-reuse always
frontend in
  bind 127.0.0.1:${PORT[3]}
  default_backend all
backend all
  balance random
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  server one 127.0.0.1:${PORT[0]} weight 90
  server two 127.0.0.1:${PORT[1]} weight 10
CONF
	taskset -c 0 haproxy -db -f "$DIR/haproxy.cfg" >"$DIR/haproxy.log" 2>&1 &
	PIDS+=($!)
	PROXY[haproxy]=$!
	wait_port "${PORT[3]}"
}

start_davit() {
	cat >"$DIR/table.json" <<JSON
{ "environments": [ { "app": "bench", "name": "prod", "live": "one",
  "routes": [ { "listen": "127.0.0.1:${PORT[4]}" } ],
  "releases": [ { "tag": "two", "weight": "10%", "processes": { "web": [ "127.0.0.1:${PORT[1]}" ] } },
                { "tag": "one", "weight": "90%", "processes": { "web": [ "127.0.0.1:${PORT[0]}" ] } } ] } ] }
JSON
	taskset -c 0 "$BUILD/davit" gateway --table "$DIR/table.json" --workers 1 >"$DIR/davit.log" 2>&1 &
	PIDS+=($!)
	PROXY[davit]=$!
	wait_port "${PORT[4]}"
}

# Nanoseconds of processor time of a process and its descendants.
cpu_ns() {
	local pid sum=0 ns
	for pid in $1 $(pgrep -P "$1"); do
		for task in /proc/"$pid"/task/*/schedstat; do
			read -r ns _ <"$task"
			sum=$((sum + ns))
		done
	done
	echo "$sum"
}

# measure NAME PORT PID: one line of results, "NAME us-per-request requests-per-second p50-us p99-us"
measure() {
	local before after
	before=$(cpu_ns "$3")
	taskset -c 1 wrk -t 1 -c 64 -d "$SECONDS_EACH" --latency -s "$DIR/report.lua" "http://127.0.0.1:$2/" >"$DIR/wrk.out"
	after=$(cpu_ns "$3")
	read -r requests rate p50 p99 errors < <(tail -n 1 "$DIR/wrk.out")
	[ "$errors" = 0 ] || echo "gateway.sh: $1 had $errors errors" >&2
	awk -v n="$1" -v ns="$((after - before))" -v r="$requests" -v rate="$rate" -v p50="$p50" -v p99="$p99" \
		'BEGIN { printf "%s %.2f %.0f %.0f %.0f\n", n, ns / r / 1000, rate, p50, p99 }' >>"$DIR/results"
}

cat >"$DIR/report.lua" <<'LUA'
done = function(summary, latency, requests)
  local e = summary.errors
  print(string.format("%d %.0f %.0f %.0f %d", summary.requests, summary.requests * 1e6 / summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
LUA

start_backends
start_nginx
start_haproxy
start_davit
PROXIES=(davit haproxy nginx)
for ((round = 0; round < ROUNDS; round++)); do
	for ((i = 0; i < 3; i++)); do
		name=${PROXIES[(round + i) % 3]}
		case $name in nginx) port=${PORT[2]} ;; haproxy) port=${PORT[3]} ;; davit) port=${PORT[4]} ;; esac
		measure "$name" "$port" "${PROXY[$name]}"
	done
done

python3 - "$DIR/results" <<'PYTHON' | tee ${OUT:+"$OUT"}
import statistics, sys
rows = {}
for line in open(sys.argv[1]):
    name, *values = line.split()
    rows.setdefault(name, []).append([float(v) for v in values])
print("| gateway | CPU us/request, median [min-max] | requests/s | p50 us | p99 us | CPU ratio to davit, pairwise median |")
print("|---|---|---|---|---|---|")
for name, runs in rows.items():
    us, rate, p50, p99 = ([r[i] for r in runs] for i in range(4))
    ratio = statistics.median(a[0] / b[0] for a, b in zip(runs, rows["davit"]))
    med = statistics.median
    print(f"| {name} | {med(us):.1f} [{min(us):.1f}-{max(us):.1f}] | {med(rate):.0f} | {med(p50):.0f} | {med(p99):.0f} | {ratio:.2f} |")
PYTHON
