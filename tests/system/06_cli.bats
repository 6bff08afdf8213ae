#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The command line as people meet it.

load lib.bash
setup() { kit_setup; }
teardown() { kit_teardown; }

@test "without a server every verb says so, says how to start one, and ends with 6" {
	for verb in "status" "watch prod" "why prod" "history prod" "releases" "rollback prod" "pause prod"; do
		# shellcheck disable=SC2086
		exits 6 davit $verb
		says "davit up"
	done
}

@test "a typo is answered with what was meant, exit 2" {
	exits 2 davit depoly prod
	says "deploy"
	exits 2 davit status --jsno
	says "--json"
}

@test "help, version and completion need no server" {
	exits 0 davit --help
	says "deploy"
	exits 0 davit deploy --help
	says "--as"
	exits 0 davit version
	says "0."
	exits 0 davit completion bash
	bash -n <<<"$output"
	exits 0 davit schema
	jq -e . <<<"$output" >/dev/null
	exits 0 davit docs service.health
	says "min_healthy"
}

@test "init writes a davit.yaml that validates, and never overwrites one" {
	mkdir "$T/repo"
	(cd "$T/repo" && "$DAVIT" init)
	(cd "$T/repo" && "$DAVIT" validate)
	cp "$T/repo/davit.yaml" "$T/before"
	fails env -C "$T/repo" "$DAVIT" init
	cmp "$T/before" "$T/repo/davit.yaml"
}

@test "pause, resume and promote move a rollout; the audit log knows who and why" {
	STRATEGY='[{ canary: { steps: [20%, 40%], each: { at_least: 60s, at_most: 120s } } }, switch]'
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0 --detach
	wait_for 20 "20 %" holds 2000 environment .candidate.weight_bp
	exits 0 davit pause prod --reason "lunch"
	is paused rollout .state
	is 2000 environment .candidate.weight_bp
	exits 0 davit resume prod
	is running rollout .state
	exits 0 davit promote prod --reason "good enough"
	wait_for 20 "40 %" holds 4000 environment .candidate.weight_bp
	exits 0 davit promote prod --full --reason "in a hurry"
	wait_for 30 "the end" holds succeeded rollout .state
	is v2.0.0 live_tag
	exits 0 davit audit --json
	is true jq -s '[.. | .reason? // empty] | any(. == "lunch") and any(. == "in a hurry")' <<<"$output"
	exits 0 davit audit --verify
}

@test "a changed audit log is found" {
	up
	release v1.0.0
	deploy v1.0.0
	exits 0 davit audit --verify
	down
	# Whoever can write the file can drop the triggers; the chain of hashes tells.
	for trigger in $(sqlite3 "$T/state/davit.db" "select name from sqlite_master where type = 'trigger'"); do
		sqlite3 "$T/state/davit.db" "drop trigger $trigger"
	done
	sqlite3 "$T/state/davit.db" "update audit set who = 'mallory' where rowid = 2"
	up
	expect_run davit audit --verify
	[ "$status" != 0 ]
	says "2"
}

@test "watch without a terminal writes a line a change and ends with the rollout's code" {
	up
	release v1.0.0
	release v2.0.0 crash_at_start=1
	deploy v1.0.0
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0 --detach
	exits 11 davit watch prod
	says "v2.0.0"
}

@test "a wait that is too short ends with 20 and leaves the rollout alone" {
	STRATEGY='[{ canary: { steps: [20%], each: { at_least: 60s, at_most: 120s } } }, switch]'
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	exits 20 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0 --timeout 2s
	is running rollout .state
	davit abort prod --reason "done" || true
}

@test "plan says what would happen and changes nothing" {
	EXTRA='analysis: off'
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	exits 0 davit plan prod v1.0.0
	says "10%"
	is v2.0.0 live_tag
	is null environment .rollout
}

foreseen() { davit plan prod v2.0.0 --json | jq -e '.forecast != null'; }

@test "plan under load says what would be caught, and what would catch a regression" {
	STRATEGY='[{ canary: { steps: [10%, 50%], each: { at_least: 1m, at_most: 10m } } }, switch, { bake: 1s }]'
	up
	release v1.0.0
	deploy v1.0.0
	release v2.0.0
	exits 20 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0 --timeout 1s
	exits 0 davit abort prod --reason "only to have it here"
	wait_for 20 "v1.0.0 to be alone" holds null environment .rollout
	exits 0 davit plan prod v2.0.0 --for 1%
	says "no traffic now"
	load_start
	wait_for 30 "enough to foresee" foreseen
	exits 0 davit plan prod v2.0.0
	says "It sees a regression to"
	says "fails 5%"
	says "As good as the live release"
	exits 0 davit plan prod v2.0.0 --for 2%
	says "fails 2%"
	says "- canary: { steps: ["
	exits 0 davit plan prod v2.0.0 --for 2% --json
	jq -e '.requests_per_second > 1 and .forecast.sees_ppm > 0 and .proposal.supposed.caught_bp >= 9000' <<<"$output"
	exits 2 davit plan prod v2.0.0 --for 0%
	says "share of failing requests"
	load_stop
	load_is_clean
}

@test "maintenance answers 503 to everybody and ends again" {
	up
	release v1.0.0
	deploy v1.0.0
	exits 0 davit maintenance prod --on --reason "moving the disks"
	is 503 curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$PORT/"
	exits 0 davit maintenance prod --off
	wait_for 5 "the service to answer" holds v1.0.0 answering
}

@test "logs, exec, config and history show what is live" {
	up
	release v1.0.0
	deploy v1.0.0
	exits 0 davit logs prod
	says "app v1.0.0 starts"
	exits 0 davit logs prod/web
	exits 0 davit exec prod -- /bin/sh -c 'echo "this is $DAVIT_RELEASE"'
	says "this is v1.0.0"
	exits 7 davit exec prod -- /bin/sh -c 'exit 7'
	exits 0 davit config prod --json
	is shop jq -r '.. | .app? // empty' <<<"$output"
	exits 0 davit history prod --json
	says "v1.0.0"
	exits 0 davit doctor
}

@test "the preview header reaches the new release before any user does" {
	STRATEGY='[{ check: smoke }, { canary: { steps: [1%], each: { at_least: 60s, at_most: 120s } } }, switch]'
	EXTRA='checks: { smoke: [{ get: /up, expect: 200 }, { get: /item/5, expect: 200, contains: item }] }'
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0 --detach
	wait_for 20 "the smoke check to pass" holds 100 environment .candidate.weight_bp
	davit abort prod --reason "seen enough" || true
}

@test "a smoke check that fails keeps the release from every user" {
	STRATEGY='[{ check: smoke }, switch]'
	EXTRA='checks: { smoke: [{ get: /item/5, expect: 200 }] }'
	up
	release v1.0.0
	release v2.0.0 errors_bp=10000
	deploy v1.0.0
	load_start
	exits 11 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	load_stop
	is 0 load .failed_by_davit
	is null load '.releases["v2.0.0"]'
}

@test "a worker without a port is deployed and rolled back like the rest" {
	EXTRA='analysis: off'
	up
	release v1.0.0
	release v2.0.0
	for tag in v1.0.0 v2.0.0; do
		mkdir -p "$T/rel/$tag/jobs"
		cp "$DAVIT_APP" "$T/rel/$tag/jobs/app"
		echo "worker=$T/beats" >"$T/rel/$tag/jobs/release.conf"
		sed -i 's|^service:|processes:\n  web: {}\n  jobs: { run: { sh: "cd jobs \&\& exec ./app" }, instances: 1, health: { min_healthy: 200ms }, serves: false }\nservice:|' "$T/rel/$tag/davit.yaml"
	done
	deploy v1.0.0
	[ "$status" = 0 ]
	wait_for 5 "the worker of v1" grep -q v1.0.0 "$T/beats"
	deploy v2.0.0
	[ "$status" = 0 ]
	wait_for 5 "the worker of v2" grep -q v2.0.0 "$T/beats"
	exits 0 davit rollback prod
	: >"$T/beats"
	wait_for 5 "the worker of v1 again" grep -q v1.0.0 "$T/beats"
}

@test "two applications may each have an environment of one name, on one listener" {
	up
	release v1.0.0
	release v2.0.0
	sed -i -e 's/^app: shop/app: blog/' -e "s/^    strategy: test/    strategy: test\n    routes: [{ host: blog.example, path: \/, to: web }]/" \
		"$T/rel/v2.0.0/davit.yaml"
	deploy v1.0.0
	[ "$status" = 0 ]
	deploy v2.0.0 # says prod, and means that of its own davit.yaml
	[ "$status" = 0 ]
	is v1.0.0 answering
	is v2.0.0 curl -s -o /dev/null -w '%header{x-release}' -H 'Host: blog.example' "http://127.0.0.1:$PORT/item/1"
	exits 5 davit restart prod
	says "say shop/prod or blog/prod"
	exits 0 davit restart blog/prod
	exits 0 davit logs blog/prod
	exits 0 davit history shop/prod
}

@test "releases are listed with where they are live; a bad one is refused until it is cleared" {
	EXTRA='analysis: off'
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	deploy v2.0.0
	exits 0 davit releases prod
	says "live in prod"
	is prod jq -r '.releases[] | select(.tag == "v2.0.0") | .live[0]' <<<"$(davit releases --json)"
	exits 0 davit releases mark-bad prod v1.0.0 --reason "loses orders"
	exits 0 davit releases prod
	says "loses orders"
	exits 4 davit deploy prod v1.0.0
	exits 0 davit releases clear prod v1.0.0
	exits 0 davit deploy prod v1.0.0
	is v1.0.0 live_tag
}

# Every verb that reads, as a program reads it: one JSON object on standard output and nothing else there.
@test "--json gives one object with a schema, of an error too" {
	EXTRA='analysis: off'
	up
	release v1.0.0
	release v2.0.0
	deploy v2.0.0
	deploy v1.0.0
	for verb in "status" "why prod" "plan prod v2.0.0" "releases" "config prod" "history prod" "audit" "postmortem 1" "dora" \
		"audit --verify" "validate $T/rel/v1.0.0/davit.yaml" "docs instances" "doctor" "version" "completion bash"; do
		# shellcheck disable=SC2086
		exits 0 davit $verb --json
		is true jq -r '.schema | startswith("davit.v1/")' <<<"$output"
	done
	exits 0 davit logs prod --json
	is davit.v1/log jq -rs '.[0].schema' <<<"$output"
	exits 3 davit why nowhere --json
	is davit.v1/error jq -r .schema <<<"$output"
	exits 3 davit plan prod v9.9.9 --json
	is 3 jq -r .exit_code <<<"$output"
}

@test "doctor finds a taken port, and says who to look for" {
	python3 -c 'import socket, sys, time; s = socket.socket(); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(); print("bound", flush=True); time.sleep(60)' "$PORT" >"$T/taken" 3>&- 4>&- &
	chaos_pids+=($!)
	wait_for 5 "the port to be taken" grep -q bound "$T/taken"
	write_config "$T/davit.yaml"
	exits 1 davit doctor
	says "$PORT"
	says "ss -ltnp"
}

@test "in a terminal watch draws in place, and Ctrl-C leaves it with the cursor back and the rollout alone" {
	STRATEGY='[{ canary: { steps: [20%], each: { at_least: 60s, at_most: 120s } } }, switch]'
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0 --detach
	wait_for 20 "20 %" holds 2000 environment .candidate.weight_bp
	env -u NO_COLOR LANG=C.UTF-8 TERM=xterm python3 - "$DAVIT" "$T/screen" 3>&- <<'PYTHON'
import fcntl, os, pty, struct, sys, termios, time
davit, to = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(davit, ["davit", "watch", "prod"])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 80, 0, 0))
out, sent, deadline = b"", False, time.time() + 20
while time.time() < deadline:
    try:
        part = os.read(fd, 65536)
    except OSError:
        break
    out += part
    if not sent and out.count(b"instances") >= 2:
        os.write(fd, b"\x03")
        sent = True
open(to, "wb").write(out)
status = os.waitpid(pid, 0)[1]
sys.exit(0 if os.waitstatus_to_exitcode(status) == 130 else 1)
PYTHON
	grep -q '20%' "$T/screen"
	grep -q $'\033\\[?25l' "$T/screen" # hidden while it draws
	[ "$(grep -ao $'\033\\[?25[hl]' "$T/screen" | tail -n 1)" = $'\033[?25h' ] # and back at the end
	grep -aq 'davit watch prod' "$T/screen"
	is running rollout .state
	davit abort prod --reason "seen enough" || true
}

@test "validate warns of a check that nothing runs; a built-in strategy runs smoke before and after" {
	mkdir -p "$T/idle"
	idle() {
		printf '%s\n' "app: shop" "service: { run: ./app, health: /up }" "checks: { smoke: [{ get: /up }], late: [{ get: /up }] }" \
			"environments: { prod: { listen: 127.0.0.1:$PORT, $1 } }" >"$T/idle/davit.yaml"
		exits 0 env -C "$T/idle" "$DAVIT" validate --json
		jq -c .idle_checks <<<"$output"
	}
	is '["smoke","late"]' idle 'strategy: [switch]'
	exits 0 env -C "$T/idle" "$DAVIT" validate
	says 'Warning: nothing runs the check "late".'
	is '["late"]' idle 'strategy: recreate'
	exits 0 env -C "$T/idle" "$DAVIT" validate
	fails says 'a shadow copies'
	is '["smoke","late"]' idle 'strategy: [{ shadow: { methods: [GET, POST] } }, switch]'
	exits 0 env -C "$T/idle" "$DAVIT" validate --json
	is true jq '.environments[0].copies_changes' <<<"$output"
	exits 0 env -C "$T/idle" "$DAVIT" validate
	says 'Warning: in prod a shadow copies requests that change something.'
	is '["late"]' idle 'strategy: canary'
	is '["smoke"]' idle 'strategy: [{ check: late }, switch]'
	is '[]' idle 'strategy: rolling, verify: [late]'
	is '["smoke"]' idle 'strategy: recreate, verify: [late]'
	STRATEGY="[switch]" INSTANCES=1 EXTRA='checks: { smoke: { run: "sh -c '"'echo x >>$T/runs'"'" } }' ENVIRONMENT_EXTRA='    analysis: off'
	up
	release v1
	deploy v1 --strategy blue-green
	[ "$status" = 0 ]
	is 2 grep -c x "$T/runs"
}
