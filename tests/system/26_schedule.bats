#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Environments that are deployed to at times: of the tip of their branch, to them alone, once, also where no server ran at
# the time or it was killed in the middle; and by no push.

load lib.bash

TOP=$BATS_TEST_DIRNAME/../..

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	NIGHTLY_PORT=$(free_port)
	INSTANCES=1 STRATEGY=$FAST_BLUE_GREEN
	ENVIRONMENT_EXTRA="    trigger: { branch: main }
    analysis: off"
	EXTRA='pipeline: { package: { archive: [app, more] } }'
	HOST=$T/host/shop.git R=$T/repo
	FAR=$(date -u -d '+12 hours' +%H:%M)
	git init -q --bare -b main "$HOST"
	mkdir "$R"
	g init -q -b main
	g config user.name Ann
	g config user.email ann@example.com
	g remote add host "$HOST"
	cp "$BUILD/tests/system/app" "$R/app"
	printf 'sources: { shop: { git: "file://%s", poll: 1h } }\n' "$HOST" >"$T/server.yaml"
}

teardown() { kit_teardown; }

g() { git -C "$R" "$@" 3>&- 4>&-; }
# commit WORDS TIMES: the file says these for nightly ("": none)
commit() {
	local trigger='{ branch: main, schedule: "'$2'" }'
	[ -n "$2" ] || trigger='{ branch: other }'
	write_config "$R/davit.yaml"
	sed -i "s|^environments:|&\\n  nightly: { listen: \"127.0.0.1:$NIGHTLY_PORT\", strategy: test, analysis: off, trigger: $trigger }|" \
		"$R/davit.yaml"
	echo "$1" >"$R/more"
	g add -A
	g commit -q -m "$1"
}
tip() { g rev-parse HEAD; }
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }
builds() { davit builds --json | jq '.builds | length'; }
build_of() { davit builds "$1" --json | jq -r "$2"; }
schedule() { davit builds --json | jq -r ".schedules[0] | $1"; }
schedules() { davit builds --json | jq '.schedules | length'; }
log_says() { grep -q "$1" "$T/up.log"; }
# Of a server that is down: as if so many days had passed since.
days_pass() { sqlite3 "$T/state/davit.db" "UPDATE schedule SET due = due - $1 * 86400000"; }
next_is_ahead() { [ "$(schedule '.next_unix_ms // 0')" -gt "$(date +%s%3N)" ]; }

@test "at its time the tip goes to that environment alone, and a push does not" {
	up --server "$T/server.yaml"
	# Elsewhere, looked at once an hour: nobody but the schedule finds the newer tip.
	commit First "$FAR"
	g push -q host main
	exits 0 davit webhook look shop
	wait_for 30 "the build for prod" holds passed build_of 1 .state
	wait_for 30 "the release in prod" holds v0.0.1 live_in prod
	is prod build_of 1 '[.rollouts[].environment] | join(" ")'
	is 1 schedules
	is main schedule .branch
	is waiting schedule .state
	exits 0 davit builds
	says "nightly of shop: main at $FAR (UTC), next"
	# The minute that begins in half a minute, or in one and a half.
	time=$(date -u -d '+90 seconds' +%H:%M)
	commit Second "$time"
	g push -q host main
	exits 0 davit webhook look shop
	wait_for 20 "the new time" holds "$time" schedule .times
	commit Third "$time"
	g push -q host main
	wait_for 30 "the build for prod" holds passed build_of 2 .state
	is prod build_of 2 '[.rollouts[].environment] | join(" ")'
	wait_for 120 "the time to come" holds "$(tip)" schedule .commit
	wait_for 30 "the release in nightly" eval '[ "$(live_in nightly)" != null ]'
	number=$(schedule .build)
	is nightly build_of "$number" '[.rollouts[].environment] | join(" ")'
	is "$(tip)" build_of "$number" .commit
	is schedule:shop build_of "$number" .by
	is "$(live_in nightly)" build_of "$number" .tag
	next_is_ahead
	exits 0 davit status nightly
	says "schedule   main at $time (UTC), next "
	says "; build $number was the last"
	exits 0 davit audit --verify
}

@test "times without a server are made up for once, what is known does not go out again, and a kill orders nothing twice" {
	commit First "$FAR"
	g push -q host main
	up --server "$T/server.yaml"
	wait_for 30 "the build for prod" holds passed build_of 1 .state
	wait_for 30 "the schedule" holds 1 schedules
	down
	days_pass 9
	up --server "$T/server.yaml"
	wait_for 30 "the build for nightly" holds passed build_of 2 .state
	wait_for 30 "the release in nightly" eval '[ "$(live_in nightly)" != null ]'
	is nightly build_of 2 '[.rollouts[].environment] | join(" ")'
	wait_for 10 "the next time" next_is_ahead

	# The same tip, nine days later.
	down
	days_pass 9
	up --server "$T/server.yaml"
	wait_for 30 "the log" log_says "control.schedule.*environment=nightly.*nothing=new"
	wait_for 10 "the next time" next_is_ahead
	is 2 builds
	is 2 schedule .build

	# Killed between the order and its note.
	down
	days_pass 1
	commit Second "$FAR"
	g push -q host main
	export DAVIT_FAILPOINT_FILE=$T/failpoint
	DAVIT=$BUILD/davit-failpoints
	echo "schedules.after-order 1" >"$DAVIT_FAILPOINT_FILE"
	up --server "$T/server.yaml"
	wait_for 20 "the kill" test -e "$DAVIT_FAILPOINT_FILE.taken"
	wait_for 30 "the note" holds "$(tip)" schedule .commit
	wait_for 30 "the end of its build" holds passed build_of "$(schedule .build)" .state
	is 4 builds # one for prod, one for nightly
	is 1 eval "davit builds --json | jq '[.builds[] | select(.by == \"schedule:shop\" and .commit == \"$(tip)\")] | length'"
}

@test "where the host is away its time waits for the next look that succeeds" {
	commit First "$FAR"
	g push -q host main
	up --server "$T/server.yaml"
	wait_for 30 "the build for prod" holds passed build_of 1 .state
	wait_for 30 "the schedule" holds 1 schedules
	down
	days_pass 1
	mv "$T/host" "$T/away"
	up --server "$T/server.yaml"
	wait_for 20 "the look that fails" log_says "sources.look.*error"
	is due schedule .state
	exits 0 davit builds
	says "it waits for a look at the repository (davit webhook)"
	is 1 builds
	mv "$T/away" "$T/host"
	exits 0 davit webhook look shop
	wait_for 30 "the build for nightly" holds passed build_of 2 .state
	is nightly build_of 2 '[.rollouts[].environment] | join(" ")'
	next_is_ahead
	is 1 grep -c 'sources.look.*error' "$T/up.log"
}

@test "a push to the server says when it goes out, and a file without a schedule ends it" {
	up
	commit First "$FAR"
	exits 0 env -C "$R" DAVIT_STATE="$DAVIT_STATE" "$DAVIT" remote
	exits 0 env -C "$R" git push davit main
	says "main goes to nightly at the times of its schedule. Next: davit builds"
	says "main goes to prod when it passes."
	is 1 builds
	is prod build_of 1 '[.rollouts[].environment] | join(" ")'
	wait_for 10 "the schedule" holds 1 schedules
	# A file that is wrong changes nothing of it.
	printf 'app: shop\nenvironment: {}\n' >"$R/davit.yaml"
	g commit -q -a -m Broken
	expect_run env -C "$R" git push davit main
	says "davit.yaml is wrong"
	exits 0 davit webhook look shop
	wait_for 20 "the note" eval 'davit webhook | grep -q "refs/heads/main is not built: davit.yaml:2:1"'
	is 1 schedules
	commit Other ""
	expect_run env -C "$R" git push davit main
	exits 0 davit webhook look shop
	wait_for 20 "the end of the schedule" holds 0 schedules
	# One that is only timed builds nothing; and with the branch it ends.
	ENVIRONMENT_EXTRA="    analysis: off"
	commit Only "$FAR"
	exits 0 env -C "$R" git push davit main:main
	says "main goes to nightly at the times"
	fails grep -q "goes to prod" "$T/deploy.err"
	wait_for 20 "the schedule" holds 1 schedules
	git -C "$T/state/repositories/shop.git" update-ref -d refs/heads/main
	exits 0 davit webhook look shop
	wait_for 20 "the end of the schedule" holds 0 schedules
}

@test "what docs/how-to/schedules.md tells people to type does what it says" {
	local page=docs/how-to/schedules.md name
	for name in project push; do
		python3 - "$TOP/$page" "$name" <<-'PY' | sed "s/8083/$NIGHTLY_PORT/" >"$T/block.$name"
			import re, sys
			found = re.findall(rf"<!-- run: {sys.argv[2]} -->\n```sh\n(.*?)^```", open(sys.argv[1]).read(), re.M | re.S)
			print(found[0], end="") if len(found) == 1 else sys.exit("not one block")
		PY
	done
	is 2 grep -c '<!-- run:' "$TOP/$page"
	run_block() { (cd "$1" && exec env PATH="$BUILD:$PATH" bash -e "$T/block.$2") >"$T/said.$2" 2>&1 </dev/null 3>&- || { cat "$T/said.$2"; false; }; }
	run_block "$T" project
	grep -q "^nightly: main at 02:30 (UTC), next " "$T/said.project"
	up
	run_block "$T/greet" push
	grep -q "main goes to nightly at the times of its schedule" "$T/said.push"
	wait_for 20 "the schedule" eval 'davit builds | grep -q "^nightly of greet: main at 02:30 (UTC), next "'
	is 0 builds
}
