#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A shadow: two real releases whose answers differ in one field, and in a time stamp that is noise. Users notice nothing of
# it, whatever it does; each of their answers is the live release's; the counts are exact.
load lib.bash

# The release: python3, its settings in $T/TAG.conf as JSON, read for each request.
service() {
	mkdir -p "$T/rel/$1"
	cat >"$T/rel/$1/app.py" <<'PYTHON'
import http.server, json, os, socketserver, sys, time
CONF = sys.argv[1]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def log_message(self, *a): pass
    def do_GET(self):
        with open(CONF) as f: conf = json.load(f)
        copy = self.headers.get("X-Davit-Shadow") == "1"
        if self.path != "/up" and copy:
            time.sleep(conf.get("hang", 0))
            if conf.get("garbage"):
                self.wfile.write(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
                self.close_connection = True
                return
        body = json.dumps({"item": {"price": conf["price"], "name": "chair"}, "at": time.time_ns(), "copy_host": self.headers["Host"],
                           "session": conf["secret"], "note": "signed with " + os.environ["SIGN_KEY"] + conf["secret"]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Release", conf["tag"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    # An order: done once by each release, whatever is copied. The new one has a fault for many of anything.
    def do_POST(self):
        with open(CONF) as f: conf = json.load(f)
        copy = self.headers.get("X-Davit-Shadow") == "1"
        if copy and conf.get("deaf"):
            time.sleep(conf["deaf"])
            self.close_connection = True
            return
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open(CONF + ".orders", "a") as f: f.write("%d%s\n" % (order["id"], " copy" if copy else ""))
        body = json.dumps({"total": conf["price"] * order["quantity"] - (conf.get("fault", 0) if order["quantity"] > 5 else 0)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Release", conf["tag"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128
Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
PYTHON
	cat >"$T/rel/$1/davit.yaml" <<YAML
app: shop
service:
  run: python3 app.py $T/$1.conf
  secrets: { SIGN_KEY: davit:sign }
  health: { path: /up, interval: 100ms, min_healthy: 200ms, deadline: 15s }
  stop: { timeout: 2s }
analysis: { errors: { max: 100% }, compare: { noise: 30%, ignore: [$.ignored] } }
strategies:
  test: [{ shadow: { share: 100%, until: { requests: 100000000, time: 10m } } }, switch]
environments: { prod: { listen: 127.0.0.1:$PORT, strategy: test } }
YAML
}

# conf TAG PRICE [MEMBERS]
conf() {
	echo "{\"tag\": \"$1\", \"price\": $2, \"secret\": \"of-$1\" ${3:+, $3}}" >"$T/$1.conf.new"
	mv "$T/$1.conf.new" "$T/$1.conf"
}

# users N [SLOWEST_MS]: N requests on 4 connections, one after the other on each; every answer the live release's and in time
users() {
	python3 - "$PORT" "$1" "${2:-5000}" <<'PYTHON'
import http.client, sys, threading, time
port, count, slowest = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
wrong, worst = [], [0.0]
def user(n):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for i in range(n):
        begun = time.monotonic()
        try:
            c.request("GET", "/item/%d?token=never-shown" % i)
            r = c.getresponse()
            body = r.read()
            if r.status != 200 or r.headers["X-Release"] != "v1" or b'"price": 12' not in body:
                wrong.append((r.status, body))
        except Exception as e:
            wrong.append(e)
            c.close()
        worst[0] = max(worst[0], time.monotonic() - begun)
threads = [threading.Thread(target=user, args=(count // 4,)) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print("worst %.0f ms" % (worst[0] * 1000), wrong[:3])
sys.exit(bool(wrong) or worst[0] * 1000 > slowest)
PYTHON
}

# orders N SLOWEST_MS SIZE: N of them, with bodies of that size, as above; nobody waits for longer
orders() {
	python3 - "$PORT" "$1" "$2" "$3" <<'PYTHON'
import http.client, json, sys, threading, time
port, count, slowest, size = map(int, sys.argv[1:])
wrong, took = [], []
def user(first):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for i in range(first, count, 4):
        begun = time.monotonic()
        quantity = i % 10 + 1
        c.request("POST", "/order", json.dumps({"id": i, "quantity": quantity, "pad": "x" * size}), {"Content-Type": "application/json"})
        r = c.getresponse()
        body = json.loads(r.read())
        if r.status != 200 or r.headers["X-Release"] != "v1" or body != {"total": 12 * quantity}:
            wrong.append((r.status, body))
        took.append((time.monotonic() - begun) * 1000)
threads = [threading.Thread(target=user, args=(n,)) for n in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
p99 = sorted(took)[len(took) * 99 // 100] if took else None
print("p99 %.0f ms" % p99, wrong[:3])
sys.exit(bool(wrong) or len(took) != count or p99 > slowest)
PYTHON
}

diffs() { davit diffs prod --json | jq -r "$1"; }

# Nothing is in flight any more: every copy that was sent has come to one of its ends.
settled() { holds true diffs '.copies | .sent == .pairs + .failed + .unpaired and (.sent + .dropped) == '"$1"; }

# place PATH: of what is shown there
place() { diffs ".places[] | select(.place == \"$1\") | $2"; }

shadowing() { [ "$(rollout '.steps[.step].op')" = hold ]; }

setup() {
	kit_setup
	service v1
	service v2
	[[ $BATS_TEST_DESCRIPTION != orders* ]] || for tag in v1 v2; do sed -i 's/share: 100%,/share: 100%, methods: [GET, POST], body: 512KiB,/' "$T/rel/$tag/davit.yaml"; done
	conf v1 12
	conf v2 13
	up
	printf very-secret-key | env -C "$T" "$DAVIT" secrets set sign --app shop
	davit deploy prod "$T/rel/v1" --as v1 >/dev/null 2>&1
	is v1 live_tag
	davit deploy prod "$T/rel/v2" --as v2 --detach >/dev/null
	wait_for 20 "requests to be copied" shadowing
}

# Of the last moments nothing is in the store yet.
kept() { grep -aq "item.price" "$T/state/davit.db" "$T/state/davit.db-wal"; }

teardown() { kit_teardown; }

@test "what differs is shown with an example, a time stamp is not, secrets are not, and users get the live release" {
	users 2000
	wait_for 10 "all copies to end" settled 2000
	wait_for 10 "the difference to be reported" holds 3 diffs .beyond_noise
	is true place '$.item.price' '.beyond_noise and .kind == "value" and .example.live == "12" and .example.new == "13"'
	is true place '$.item.price' '.noise.differ == 0 and .new.differ == .new.pairs'
	is false place '$.at' .beyond_noise
	is true place '$.at' '.noise.differ == .noise.pairs'
	is '***' place '$.session' .example.new
	is '***' place '$.note' .example.live
	is true diffs '.latency.live_p50_us > 0 and .latency.new_p99_us > 0'
	page_has 1 docs/how-to/shadow.md
	eval "$(page_block docs/how-to/shadow.md diffs)" | tee "$T/shown"
	grep -q 'live 12, new 13' "$T/shown"
	fails grep -qE 'never-shown|very-secret-key|of-v' "$T/shown"
	# It outlives the server, and nothing secret is in what is kept.
	wait_for 10 "it to be kept" kept
	kill_one controller
	wait_for 20 "the controller" controller_is_back
	is true place '$.item.price' '.new.differ > 0'
	davit abort prod -m enough >/dev/null
	wait_for 20 "the way back" holds reverted rollout .state
	is true diffs '.copies.pairs > 0'
	down
	is 1 sqlite3 "$T/state/davit.db" 'SELECT count(*) FROM diffs'
	fails grep -laE 'very-secret-key|of-v2' "$T/state/davit.db"
}

# The shadow hangs, answers garbage, dies: what users get is the live release's, as soon as ever.
@test "a shadow that hangs, answers garbage or dies costs users nothing" {
	conf v2 13 '"hang": 0.8'
	users 400 700
	conf v2 13 '"garbage": true'
	users 400 700
	conf v2 13
	kill -9 "$(environment '.instances[] | select(.tag == "v2" and .pid > 0) | .pid')"
	users 400 700
	wait_for 10 "all copies to end" settled 1200
	is true diffs '.copies | .failed > 0 and .dropped > 0'
}

@test "orders are compared by their answers, each release gets each once, and a shadow that never reads them costs users nothing" {
	conf v2 12 '"fault": 1'
	orders 40 700 100
	wait_for 10 "all copies to end" settled 40
	wait_for 10 "the difference to be told" holds true place '$.total' '.new.differ > 0'
	is true place '$.total' '.kind == "value" and .example.method == "POST" and (.example.live | tonumber) == (.example.new | tonumber) + 1'
	is 40 grep -vc copy "$T/v1.conf.orders"
	fails grep -q copy "$T/v1.conf.orders"
	is 40 grep -c copy "$T/v2.conf.orders"
	is 20 diffs .copies.differ
	conf v2 12 '"deaf": 3'
	orders 200 300 400000
	is true diffs '.copies.dropped > 0'
	wait_for 20 "all copies to end" settled 240
}
