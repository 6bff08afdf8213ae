#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the gateway counts, as Prometheus reads it: whole, well formed, and equal to what the clients counted.

load lib.bash
setup() { kit_setup; }
teardown() { kit_teardown; }

page() { curl -sf --unix-socket "$T/state/api.sock" http://davit/metrics >"$T/page"; }
# number NAME{LABELS}: of the page that was read last
number() { grep -v "^#" "$T/page" | grep -F "$1" | head -n 1 | awk "{ print \$NF }"; }

@test "a page of metrics is what promtool takes, and its numbers are those of the clients" {
	ENVIRONMENT_EXTRA='    requests: { shield: true }'
	up
	page
	is 1 number davit_gateway_up
	release v1.0.0
	release v2.0.0 errors_bp=10000
	deploy v1.0.0
	[ "$status" = 0 ]
	load_start --mix get=90,post=10
	exits 11 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	load_stop
	wait_for 10 "all of them to be counted" all_counted
	is "$(load .sent)" number 'davit_environment_requests_total{app="shop",environment="prod"}'
	is 1 number 'davit_release_weight_ratio{app="shop",environment="prod",release="v1.0.0"'
	[ "$(number 'davit_gateway_accepted_total')" -gt 0 ]
	# Buckets only grow, and end with all of them.
	python3 - "$T/page" <<-'PYTHON'
		import re, sys
		series = {}
		for line in open(sys.argv[1], encoding="utf-8"):
		    m = re.match(r'davit_release_response_seconds_(bucket|count)\{(.*?)(?:,le="(.*?)")?\} (\d+)$', line)
		    if m: series.setdefault(m[2], []).append((m[1], m[3], int(m[4])))
		assert series
		for rows in series.values():
		    counts = [n for kind, _, n in rows if kind == "bucket"]
		    assert counts == sorted(counts) and counts[-1] == rows[-1][2] and len(counts) == 15, rows
	PYTHON
	# Debian's package would start a server of its own, so that it is not among what the tests install.
	if command -v promtool >/dev/null; then
		promtool check metrics <"$T/page" >"$T/lint" 2>&1 || { cat "$T/lint"; false; }
	else
		echo "# promtool is not installed: the page was not shown to it" >&3
	fi
	# What the page has is what the documentation names.
	sed -n 's/^# TYPE \([a-z_0-9]*\) .*/\1/p' "$T/page" | sort >"$T/families"
	sed -n 's/^| `\(davit_[a-z_0-9]*\)`.*/\1/p' "$BATS_TEST_DIRNAME/../../docs/reference/metrics.md" | sort >"$T/documented"
	diff "$T/documented" "$T/families"
}

@test "what finds all connections in use waits for its turn, within bounds, health checks first" {
	INSTANCES=1
	ENVIRONMENT_EXTRA='    requests: { connections: 1, queue: { most: 4, for: 20s } }'
	up
	release v1.0.0 slow_ms=100
	deploy v1.0.0
	[ "$status" = 0 ]
	python3 - "$PORT" <<-'PYTHON'
		import http.client, sys, threading
		codes = []
		def ask(path):
		    c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
		    c.request("GET", path)
		    r = c.getresponse()
		    r.read()
		    codes.append((r.status, r.headers.get("X-Davit-Error"), r.headers.get("Retry-After")))
		users = [threading.Thread(target=ask, args=("/item/%d" % i,)) for i in range(40)] + [threading.Thread(target=ask, args=("/up",))]
		[u.start() for u in users]
		[u.join() for u in users]
		kinds = {c: codes.count(c) for c in codes}
		print(kinds)
		# Of each worker one is served and four wait; a health check has a place whatever else waits.
		assert set(kinds) == {(200, None, None), (503, "queue-full", "1")} and kinds[(200, None, None)] >= 6, kinds
	PYTHON
	page
	r='app="shop",environment="prod",release="v1.0.0"'
	[ "$(number "davit_release_queued_total{$r")" -ge 4 ]
	[ "$(grep -F "davit_release_failures_total{$r" "$T/page" | grep -F 'reason="queue_full"' | awk '{ print $NF }')" -ge 1 ]
	is 0 number "davit_release_queue_gone_total{$r"
}

all_counted() {
	page
	[ "$(number 'davit_release_in_flight{app="shop",environment="prod",release="v1.0.0"')" = 0 ] &&
		[ "$(number 'davit_environment_requests_total{app="shop",environment="prod"}')" = "$(load .sent)" ]
}
