#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Connections that are not HTTP: divided by weight, drained, and told to their backend by the PROXY protocol.

load lib.bash

setup() {
	kit_setup
	DRAIN=1s TCP='{}' REQUESTS='{ log: json }' HEALTH='tcp: true' KEEP_WARM=1h
	lines_pid='' short_pid=''
	cat >"$T/echo.py" <<'PYTHON'
# Says its version, then each line again. "mute" ends each connection without a byte.
import os, socketserver, sys
version = sys.argv[1]
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        if version == "mute":
            return
        self.wfile.write(f"{version}\n".encode())
        for line in self.rfile:
            self.wfile.write(line)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 128
Server(("127.0.0.1", int(os.environ["PORT"])), Echo).serve_forever()
PYTHON
	cat >"$T/short.py" <<'PYTHON'
# Connections one after the other, 200 a second: what each was greeted with, or "failed".
import os, socket, sys, time
port, out, stop = int(sys.argv[1]), open(sys.argv[2], "w", buffering=1), sys.argv[3]
while not os.path.exists(stop):
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as s:
            s.sendall(b"ping\n")
            with s.makefile() as f:
                version = f.readline().strip()
                print(version if version and f.readline() == "ping\n" else "failed", file=out)
    except OSError as e:
        print("failed", e, file=out)
    time.sleep(0.005)
PYTHON
	cat >"$T/lasting.py" <<'PYTHON'
# Connections that last: each sends a line at a time and waits for it, until it is ended. How that was, and after how long.
import socket, sys, threading, time
port, out = int(sys.argv[1]), open(sys.argv[2], "w", buffering=1)
def talk(number):
    began, said, how = time.time(), 0, "cut"
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as s:
            s.settimeout(60)
            f = s.makefile()
            version = f.readline().strip()
            print(f"begun {version}", file=out)
            while True:
                line = f"{number} {said}\n"
                s.sendall(line.encode())
                got = f.readline()
                if got != line:
                    how = "ended" if got == "" else "wrong"
                    break
                said += 1
                time.sleep(0.02)
    except OSError as e:
        how = f"broken {type(e).__name__}"
    print(f"over {version} {how} {time.time():.3f} {said}", file=out)
threads = [threading.Thread(target=talk, args=(i,)) for i in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
PYTHON
}
teardown() {
	touch "$T/stop"
	[ -z "$lines_pid" ] || kill "$lines_pid" 2>/dev/null || true # or davit waits for its connections
	for pid in $lines_pid $short_pid; do wait "$pid" 2>/dev/null || true; done
	kit_teardown
}

# service TAG COMMAND...: a release that runs it
service() {
	mkdir -p "$T/rel/$1"
	cp "$T/echo.py" "$T/rel/$1"
	cat >"$T/rel/$1/davit.yaml" <<YAML
app: lines
service:
  run: { sh: '${*:2}' }
  health: { $HEALTH, interval: 100ms, passes: 2, min_healthy: 200ms, deadline: 20s }
  drain: { requests: 1s, websockets: $DRAIN }
  stop: { timeout: 2s }
strategies:
  test: $STRATEGY
environments:
  prod:
    listen: 127.0.0.1:$PORT
    protocol: tcp
    tcp: $TCP
    strategy: test
    keep_warm: $KEEP_WARM
    requests: $REQUESTS
    analysis: { method: rules, errors: { max: 10%, at_least: 20 } }
YAML
}
echoes() { service "$1" "exec python3 echo.py ${2:-$1}"; }

short_start() {
	rm -f "$T/stop"
	python3 "$T/short.py" "$PORT" "$T/short" "$T/stop" 3>&- 4>&- &
	short_pid=$!
	wait_for 5 "the first connections" grep -q v1 "$T/short"
}
lasting_start() {
	python3 "$T/lasting.py" "$PORT" "$T/lasting" 3>&- 4>&- &
	lines_pid=$!
	wait_for 5 "those that last" holds 8 grep -c begun "$T/lasting"
}
greets() { [ "$(printf 'x\n' | timeout 5 socat - "TCP:127.0.0.1:$PORT" 2>/dev/null | head -n 1)" = "$1" ]; }

@test "a canary goes out by weights over connections, and one that hangs up comes back" {
	up --access-log "$T/access.log"
	echoes v1
	echoes v2
	echoes v3 mute
	deploy v1
	[ "$status" = 0 ]
	lasting_start
	short_start
	deploy v2
	[ "$status" = 0 ] || { cat "$T/deploy.err" && false; }
	touch "$T/stop"
	wait "$short_pid"
	short_pid=''
	fails grep failed "$T/short"
	# Of the 100 % v1, then 10 %, 50 % and all of v2 there was something.
	is true jq -n "$(grep -c '^v2' "$T/short") > 40 and $(grep -c '^v1' "$T/short") > 100"
	is 8 grep -c 'begun v1' "$T/lasting"
	fails grep over "$T/lasting"
	wait_for 5 "the log" grep -q '"method":"TCP","target":"127.0.0.1:'"$PORT"'".*"release":"v2"' "$T/access.log"

	rm -f "$T/stop"
	python3 "$T/short.py" "$PORT" "$T/short" "$T/stop" 3>&- 4>&- &
	short_pid=$!
	deploy v3
	[ "$status" = 11 ] || { echo "$status: $output" && false; }
	is v2 live_tag
	greets v2
	is true jq -n "$(grep -c failed "$T/short") > 0 and $(grep -c '^v2' "$T/short") > 100"
	exits 5 davit maintenance prod --read-only
	says "cannot be told to only read"
	page_block docs/how-to/tcp.md maintenance >"$T/page.sh"
	page_has 1 docs/how-to/tcp.md
	exits 0 eval "$(cat "$T/page.sh")"
	wait_for 5 "it again" greets v2
}

@test "blue-green drains: lasting connections of the old release go on until its time is over, and none is cut" {
	STRATEGY=$FAST_BLUE_GREEN DRAIN=2s KEEP_WARM=0s
	up
	echoes v1
	echoes v2
	deploy v1
	lasting_start
	short_start
	deploy v2
	[ "$status" = 0 ]
	wait_for 5 "v2 for all who come" greets v2
	wait_for 15 "the end of all that last" holds 8 grep -c over "$T/lasting"
	cat "$T/lasting"
	is 8 grep -c 'over v1 ended' "$T/lasting"
	touch "$T/stop"
	wait "$short_pid"
	short_pid=''
	fails grep failed "$T/short"
}

@test "a backend sees its client's address and port by PROXY v2, behind a proxy that says them too" {
	STRATEGY=$FAST_BLUE_GREEN TCP='{ proxy: v2, proxies: 127.0.0.2 }'
	up
	mkdir "$T/nginx"
	cat >"$T/nginx.conf" <<'NGINX'
daemon off; error_log stderr; pid nginx.pid; events {}
http { access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
server { listen 127.0.0.1:PORT proxy_protocol; return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_port"; } }
NGINX
	service v1 "sed s/PORT/\$PORT/ $T/nginx.conf >$T/nginx/nginx.conf && exec /usr/sbin/nginx -p $T/nginx -c nginx.conf"
	deploy v1
	[ "$status" = 0 ] || { cat "$T/deploy.err" && false; }
	seen=$(curl -sS -w ' = %{local_ip} %{local_port}' "http://127.0.0.1:$PORT/")
	[ "${seen%% = *}" = "${seen##* = } $PORT" ] || { echo "$seen" && false; }

	front=$(free_port)
	cat >"$T/haproxy.cfg" <<HAPROXY
defaults
	mode tcp
	timeout connect 2s
	timeout client 10s
	timeout server 10s
listen front
	bind 127.0.0.1:$front
	server davit 127.0.0.1:$PORT send-proxy-v2 source 127.0.0.2
HAPROXY
	haproxy -db -f "$T/haproxy.cfg" 3>&- 4>&- &
	chaos_pids+=($!)
	wait_for 5 "haproxy" curl -sf "http://127.0.0.1:$front/"
	seen=$(curl -sS -w ' = %{local_ip} %{local_port}' "http://127.0.0.1:$front/")
	[ "${seen%% = *}" = "${seen##* = } $front" ] || { echo "$seen" && false; }
	fails curl -s --interface 127.0.0.2 "http://127.0.0.1:$PORT/"
}
