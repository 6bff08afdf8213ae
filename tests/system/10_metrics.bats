#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What an application counts of itself decides too: no answer of the new release is wrong, and fewer people buy.

load lib.bash
setup() {
	kit_setup
	STRATEGY='[{ canary: { steps: [50%], each: { at_least: 90s, at_most: 120s } } }, switch, { bake: 1s }]'
	EXTRA='analysis: { scrape: { path: /stats, interval: 500ms }, kpi: { checkouts: { count: "bought_total{kind=\"paid\"}", of: visits_total } } }'
}
teardown() {
	touch "$T/visitors.stop"
	kit_teardown
}

# shop TAG SHARE: so many of a hundred visits end with a purchase
shop() {
	release "$1"
	cat >"$T/rel/$1/app" <<PYTHON
#!/usr/bin/python3
import http.server, os, threading

lock, counts = threading.Lock(), {"visits": 0, "bought": 0}

class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        text = "fine"
        with lock:
            if self.path == "/stats":
                text = "# TYPE bought_total counter\nbought_total{kind=\"paid\"} %(bought)d\n" \\
                    "bought_total{kind=\"gift\"} 1000\nvisits_total %(visits)d\n" % counts
            elif self.path != "/up":
                counts["visits"] += 1
                counts["bought"] += counts["visits"] * 37 % 100 < $2
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
PYTHON
}

# A hundred visits a second, two minutes at most.
visitors() {
	python3 - "$PORT" "$T/visitors.stop" >"$T/visitors" 3>&- 4>&- <<'PYTHON' &
import http.client, os, sys, time

connection, failed = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10), 0
for i in range(12000):
    if os.path.exists(sys.argv[2]):
        break
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    failed += answer.status != 200
    time.sleep(0.01)
print(failed)
PYTHON
	visitors_pid=$!
}

@test "fewer people buy: no answer is wrong, and the release comes back" {
	up
	shop v1.0.0 40
	shop v2.0.0 15
	deploy v1.0.0
	[ "$status" = 0 ]
	visitors
	exits 11 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	is v1.0.0 live_tag
	is reverted rollout .state
	exits 0 davit why prod
	says "counted as checkouts"
	echo "# $(rollout '.evidence[-1].text')" >&3
	curl -s --unix-socket "$T/state/api.sock" -d '{"release": "v1.0.0", "name": "checkouts", "count": 1, "of": 2}' \
		http://davit/v1/environments/prod/kpi >"$T/kpi"
	is false jq -r .counted "$T/kpi"
	touch "$T/visitors.stop"
	wait_for 15 "the visitors to leave" gone "$visitors_pid"
	is 0 cat "$T/visitors"
}
