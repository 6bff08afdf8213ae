# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lib - what every system test stands on: a directory of its own, free ports, `davit up` in the background,
#       releases, load, waiting for conditions, and the proof that nothing is left behind.
#
# HOW   setup() { kit_setup; }   teardown() { kit_teardown; }
#       BUILD is Meson's directory; DAVIT, DAVIT_LOAD and DAVIT_APP name the binaries where they are elsewhere.
#       No test changes its directory (env -C does), for what runs below $T counts as left behind. Everything lies in $T; davit's state in $T/state.
#       A test that fails prints davit's log. kit_teardown fails a test that left a process or a socket behind.

BUILD=${BUILD:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)/build}
: "${DAVIT:=$BUILD/davit}" "${DAVIT_LOAD:=$BUILD/tests/load/davit-load}" "${DAVIT_APP:=$BUILD/tests/system/app}"

kit_setup() {
	# Short, for UNIX sockets have short names; outside of bats' own directories, for they are long.
	T=$(mktemp -d /tmp/davit-test.XXXXXX)
	PORT=$(free_port)
	RATE=${RATE:-500}
	up_pid='' load_pid='' chaos_pids=()
	export DAVIT_STATE=$T/state DAVIT_TEST_MARK=$T NO_COLOR=1
	STRATEGY=$FAST_CANARY
	EXTRA='' SERVICE_EXTRA='' ENVIRONMENT_EXTRA=''
}

kit_teardown() {
	local failed=0
	[ "${BATS_TEST_COMPLETED:-}" = 1 ] || failed=1
	[ -z "$load_pid" ] || kill "$load_pid" 2>/dev/null || true
	for pid in "${chaos_pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	if [ -n "$up_pid" ]; then down || failed=2; fi
	orphans >"$T/orphans"
	if [ -s "$T/orphans" ]; then
		echo "left behind:"
		cat "$T/orphans"
		while read -r pid _; do kill -9 "$pid" 2>/dev/null; done <"$T/orphans"
		[ "$failed" = 0 ] && failed=3
	fi
	if [ "$failed" != 0 ]; then
		show_logs
	fi
	# Artifacts are read-only; KEEP=1 leaves all for a look.
	if [ -z "${KEEP:-}" ]; then
		chmod -R u+w "$T" 2>/dev/null
		rm -rf "$T"
	else
		echo "kept: $T"
	fi
	[ "$failed" -le 1 ]
}

show_logs() {
	local f
	for f in "$T"/up.before.log "$T"/up.log "$T"/deploy.err; do
		[ ! -s "$f" ] || { echo "--- $f"; tail -n 40 "$f"; }
	done
	for f in "$T"/state/instances/*/log; do
		[ ! -s "$f" ] || { echo "--- $f"; tail -n 5 "$f"; }
	done
}

free_port() {
	# Below those that the kernel gives to connections: what runs beside us would take it for one.
	python3 -c '
import random, socket
while True:
    s, port = socket.socket(), random.randrange(10240, 19240)
    try: s.bind(("127.0.0.1", port))
    except OSError: continue
    print(port)
    break'
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds; fails with WHAT after the deadline
wait_for() {
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS > deadline)); then
			echo "waited in vain for: $what"
			return 1
		fi
		sleep 0.05
	done
}

# fails COMMAND...: for `!` does not fail a bats test
fails() {
	if "$@"; then
		echo "succeeded, and should not: $*"
		return 1
	fi
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# Every living process that was started from this test's davit: marked in its environment, or running from
# its directory.
orphans() {
	env -u DAVIT_TEST_MARK python3 - "$T" <<'PYTHON'
import os, sys
mark, root = f"DAVIT_TEST_MARK={sys.argv[1]}".encode(), sys.argv[1] + "/"
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/stat") as f:
            if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                continue
        with open(f"/proc/{pid}/environ", "rb") as f:
            ours = mark in f.read().split(b"\0")
        exe, cwd = os.readlink(f"/proc/{pid}/exe"), os.readlink(f"/proc/{pid}/cwd")
        if ours or exe.startswith(root) or cwd.startswith(root):
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                print(pid, f.read().replace(b"\0", b" ").decode(errors="replace"))
    except (OSError, IndexError):
        continue
PYTHON
}

# shellcheck disable=SC2120 # few give it arguments
up() {
	[ ! -e "$T/up.log" ] || cat "$T/up.log" >>"$T/up.before.log"
	: >"$T/up.log" # or the one before is taken for this one
	(cd "$T" && exec "$DAVIT" up "$@" >"$T/up.log" 2>&1 </dev/null 3>&- 4>&-) &
	up_pid=$!
	wait_for 15 "davit up to say that it is ready" up_is_ready
}

up_is_ready() {
	grep -q "is ready" "$T/up.log" || { gone "$up_pid" && return 0; }
}

# Stop the server as Ctrl-C does; it drains, stops everything, and leaves with 0.
down() {
	local status=0
	kill -INT "$up_pid" 2>/dev/null || true
	if ! wait_for 40 "davit up to stop" gone "$up_pid"; then
		orphans
		kill -9 "$up_pid"
	fi
	wait "$up_pid" || status=$?
	up_pid=''
	[ "$status" = 0 ] || echo "davit up ended with $status"
	return "$status"
}

# Strategies that go through all their steps in seconds.
FAST_CANARY='[{ canary: { steps: [10%, 50%], each: { at_least: 1s, at_most: 20s } } }, switch, { bake: 1s }]'
FAST_BLUE_GREEN='[switch, { bake: 1s }]'
FAST_ROLLING='[{ rolling: { batch: 50%, each: { at_least: 1s, at_most: 20s } } }, { bake: 1s }]'
FAST_RECREATE='[recreate, { bake: 1s }]'
FAST_SHADOW='[{ shadow: { share: 50%, until: { requests: 200, time: 20s } } }, switch, { bake: 1s }]'
FAST_MIX='[{ shadow: { share: 20%, until: { requests: 100, time: 20s } } }, { canary: { steps: [10%, 50%], each: { at_least: 1s, at_most: 20s } } }, switch, { bake: 1s }]'

# Write davit.yaml from STRATEGY, EXTRA (top level), SERVICE_EXTRA and ENVIRONMENT_EXTRA.
write_config() {
	cat >"$1" <<YAML
app: shop
service:
  run: ./app
  instances: ${INSTANCES:-2}
  health: { path: /up, interval: 100ms, timeout: 1s, passes: 2, fails: 3, min_healthy: 200ms, deadline: 10s }
  drain: { requests: 10s, websockets: 1s }
  stop: { timeout: 2s }
$SERVICE_EXTRA
strategies:
  test: $STRATEGY
environments:
  prod:
    listen: 127.0.0.1:$PORT
    strategy: test
$ENVIRONMENT_EXTRA
$EXTRA
YAML
}

# release TAG [KEY=VALUE...]: $T/rel/TAG with the service, its settings (app.c) and davit.yaml
release() {
	local tag=$1 dir=$T/rel/$1
	shift
	mkdir -p "$dir"
	cp "$DAVIT_APP" "$dir/app"
	printf '%s\n' "version=$tag" "journal=$T/journal" "$@" >"$dir/release.conf"
	write_config "$dir/davit.yaml"
}

davit() { (cd "$T" && "$DAVIT" "$@" </dev/null 3>&-); }

# deploy TAG [OPTION...]: and follow to the end. $status, $output
deploy() {
	local tag=$1
	shift
	expect_run davit deploy prod "$T/rel/$tag" --as "$tag" "$@"
}

expect_run() {
	status=0
	output=$("$@" 2>"$T/deploy.err") || status=$?
}

# exits CODE COMMAND...
exits() {
	local want=$1
	shift
	expect_run "$@"
	if [ "$status" != "$want" ]; then
		echo "exit $status, not $want: $*"
		echo "$output" | tail -n 20
		cat "$T/deploy.err"
		return 1
	fi
}

# says TEXT: the last command, on either stream
says() {
	if [[ "$output$(cat "$T/deploy.err")" != *"$1"* ]]; then
		echo "nowhere said: $1"
		echo "$output"
		cat "$T/deploy.err"
		return 1
	fi
}

# page_block PAGE NAME: what docs/PAGE tells people to type, in the block below <!-- run: NAME -->
page_block() {
	python3 - "$BATS_TEST_DIRNAME/../../$1" "$2" <<'PYTHON'
import re, sys
found = re.findall(rf"<!-- run: {sys.argv[2]} -->\n```sh\n(.*?)^```", open(sys.argv[1]).read(), re.M | re.S)
if len(found) != 1:
    sys.exit(f"{sys.argv[1]} has {len(found)} blocks called {sys.argv[2]}")
print(found[0], end="")
PYTHON
}

# page_has N PAGE: so many blocks, all of which the test ran
page_has() { is "$1" grep -c '<!-- run:' "$BATS_TEST_DIRNAME/../../$2"; }

environment() { davit status --json | jq -r ".applications[0].environments[0] | $1"; }
rollout() { davit why prod --json | jq -r "$1"; }

# is VALUE COMMAND...
is() {
	local want=$1 got
	shift
	got=$("$@")
	if [ "$got" != "$want" ]; then
		echo "$*: $got, not $want"
		return 1
	fi
}

holds() { [ "$("${@:2}")" = "$1" ]; }

# The release that answers now.
answering() { curl -s --max-time 5 -o /dev/null -D - "http://127.0.0.1:$PORT/item/1" | tr -d '\r' | awk -F': ' 'tolower($1) == "x-release" { print $2 }'; }

# shellcheck disable=SC2120
load_start() {
	rm -f "$T/load.stop"
	"$DAVIT_LOAD" --url "http://127.0.0.1:$PORT" --rate "$RATE" --stop-file "$T/load.stop" --out "$T/load.json" \
		--ids "$T/load.ids" --mix get=66,post=20,slow=4,sse=5,ws=5 --connections 48 --ws-connections 6 \
		"$@" 3>&- 4>&- &
	load_pid=$!
	wait_for 5 "the load to run" test -s "$T/load.json"
}

load_stop() {
	local status=0
	touch "$T/load.stop"
	wait "$load_pid" || status=$?
	load_pid=''
	return "$status"
}

load() { tail -n 1 "$T/load.json" | jq -r "$1"; }

# Nothing failed because of davit, enough was sent, and no POST was carried out twice.
load_is_clean() {
	is 0 load .failed_by_davit || {
		tail -n 1 "$T/load.json"
		grep -vE ' (ok|service_5xx) ' "$T/load.ids" | head -n 10
		return 1
	}
	is true load ".sent > $RATE" || return 1
	posts_are_exact
}

# Every POST with a good answer stands in the journal once; none stands there twice.
posts_are_exact() {
	local twice lost
	twice=$(awk '{ print $1 }' "$T/journal" | sort | uniq -d | wc -l)
	lost=$(comm -23 <(awk '$2 == "post" && $3 == "ok" { print $1 }' "$T/load.ids" | sort) \
		<(awk '{ print $1 }' "$T/journal" | sort) | wc -l)
	if [ "$twice" != 0 ] || [ "$lost" != 0 ]; then
		echo "POSTs carried out twice: $twice, answered but never carried out: $lost"
		return 1
	fi
}

live_tag() { environment .live.tag; }

# The instances of one release that live, as status shows them (it shows those that are over, too).
instances_of() { environment ".instances | map(select(.tag == \"$1\" and .pid > 0)) | length"; }

# Pids by role: up, controller, gateway-supervisor, gateway-worker, keeper: davit's first argument.
pids_of() { orphans | awk -v role="$1" '$3 == role { print $1 }'; }

# kill_one ROLE: one of them, at random, with -9
kill_one() {
	local pid
	pid=$(pids_of "$1" | shuf -n 1)
	[ -n "$pid" ] && kill -9 "$pid" && echo "killed $1 $pid" >>"$T/kills"
}

# What a release swallowed or broke off is lost, and that is told as such; nothing else may fail.
load_lost_only_what_the_release_broke() {
	is true load '.failed_by_davit == .failed.gateway_5xx + .failed.truncated' || return 1
	is true load '.gateway_errors | keys | all(IN("reset", "timeout", "answer", "connect"))'
}

# What a killed worker takes along: requests that were in it, and WebSockets that went through it. Nothing
# else may fail. $1: how many workers were killed
load_lost_only_killed() {
	tail -n 1 "$T/load.json" # shown when one of these fails
	grep -vE ' (ok|service_5xx) ' "$T/load.ids" | head -n 10
	is 0 load '.failed | .gateway_5xx + .gateway_other + .connect + .timeout + .wrong_id + .duplicate + .bad_body + .protocol + .unsent' ||
		return 1
	is true load ".failed_by_davit <= $1 * 54" || {
		tail -n 1 "$T/load.json"
		return 1
	}
	is 0 jq -n "$(awk '{ print $1 }' "$T/journal" | sort | uniq -d | wc -l)"
}

# serving_under_load STRATEGY: v1.0.0 is live, v2.0.0 is there, and users come.
serving_under_load() {
	STRATEGY=$1
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	load_start
}

# The rollout has ended as planned, on $1, and nobody is left of what was not to be.
ended_on() {
	wait_for 60 "the rollout to $1 to succeed" holds succeeded rollout .state
	is "$1" live_tag
	is 10000 environment .live.weight_bp
	wait_for 15 "the gateway to have it" holds "$1" answering
	exits 0 davit audit --verify
}

controller_is_back() { davit status --json; }
