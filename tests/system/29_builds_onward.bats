#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Builds in the server that go on where they were: after a failure, after a kill; whose cache is read; and who gives way.
# A counter outside of the sandboxes knows how often each stage ran.

load lib.bash

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	STAGING_PORT=$(free_port)
	HITS_PORT=$(free_port)
	INSTANCES=1
	staging ''
	R=$T/repo
	mkdir "$R"
	chmod 755 "$T" "$R"
	g init -q -b main
	g config user.name Ann
	g config user.email ann@example.com
	cp "$BUILD/tests/system/app" "$R/app"
	count_hits
}

teardown() {
	kit_teardown
	! pgrep -f "bwrap .*$T/" && ! grep -q "$T" /proc/mounts
}

g() { git -C "$R" "$@" 3>&- 4>&-; }
in_repo() { (cd "$R" && "$DAVIT" "$@" </dev/null 3>&-); }
commit() { g add -A && g commit -q --allow-empty -m "$1"; }
build_of() { davit builds "$1" --json | jq -r "$2"; }
state_of() { build_of "$1" ".stages[] | select(.stage == \"$2\") | .state"; }
from_of() { build_of "$1" ".stages[] | select(.stage == \"$2\") | .from_build"; }
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }
rollouts_of() { davit history "$1" --json | jq -s '[.[] | .rollouts[]?] | length'; }
sandboxes() { pgrep -fc "bwrap .*$T/"; }
staging() {
	ENVIRONMENT_EXTRA="  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: blue-green, analysis: off, trigger: { branch: main }$1 }"
}
pipeline() {
	EXTRA=$(printf 'pipeline:\n%s' "$1")
	write_config "$R/davit.yaml"
}

# Every stage that runs says so to a server here, which writes one line for each.
count_hits() {
	python3 - "$HITS_PORT" "$T/hits" >/dev/null 2>&1 3>&- 4>&- <<-'PY' &
		import http.server, sys
		class Count(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        with open(sys.argv[2], "a") as f:
		            f.write(self.path[1:] + "\n")
		        self.send_response(200)
		        self.end_headers()
		http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Count).serve_forever()
	PY
	chaos_pids+=($!)
	wait_for 10 "the counter" curl -s "http://127.0.0.1:$HITS_PORT/ready"
	cat >"$R/hit" <<-SH
		#!/bin/sh
		exec python3 -c 'import sys, urllib.request as r; r.urlopen("http://127.0.0.1:$HITS_PORT/" + sys.argv[1])' "\$1"
	SH
	chmod 755 "$R/hit"
}
hits() { grep -cx "$1" "$T/hits" || true; }

# compile makes something that no second run would make again; unit waits or fails as the machine's files say.
FIRST_STAGES='  compile: { run: "./hit compile; mkdir bin; head -c 16 /dev/urandom | od -An -tx1 >bin/id; cat bin/id", network: true, outputs: [bin/] }
  lint: { run: "./hit lint; echo all is clean", network: true }'
waiting_pipeline() {
	pipeline "$FIRST_STAGES
  unit: { needs: [compile, lint], network: true, run: \"./hit unit; until ./hit go-$1 2>/dev/null && curl -sf http://127.0.0.1:$2/; do sleep 0.1; done\" }
  package: { needs: [unit], archive: [app, bin/] }"
}

@test "--again begins at the stage that failed, with what the others made" {
	cat >"$T/go.py" <<-'PY'
		import http.server, sys
		http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
	PY
	local go id
	go=$(free_port)
	pipeline "$FIRST_STAGES
  unit: { needs: [compile, lint], network: true, run: \"./hit unit; curl -s http://127.0.0.1:$go/ >/dev/null\" }
  package: { needs: [unit], archive: [app, bin/] }
  report: { finally: true, network: true, run: ./hit report }"
	commit First
	up
	exits 10 in_repo build --to staging
	is failed state_of 1 unit
	id=$(davit logs build/1/compile)

	exits 10 in_repo build --again 1
	says "✔ taken      compile"
	says "from build 1"
	is taken state_of 2 compile
	is 1 from_of 2 lint
	is 1 build_of 2 .from_build
	# What could not reach it is there now; and a build that took over may be gone on with in its turn.
	(cd "$T" && exec python3 "$T/go.py" "$go" >/dev/null 2>&1 3>&- 4>&-) &
	chaos_pids+=($!)
	wait_for 10 "the other server" curl -sf "http://127.0.0.1:$go/"
	exits 0 in_repo build --again 2
	is taken state_of 3 compile
	is 1 from_of 3 compile
	is passed state_of 3 unit
	is passed state_of 3 package
	is passed state_of 3 report
	is 1 hits compile
	is 1 hits lint
	is 3 hits unit
	is 3 hits report # finally runs every time
	exits 0 davit logs build/3/compile
	says "compile (from build 1)"
	says "${id#compile }"
	is 1 sh -c "cd '$T' && '$DAVIT' logs build/3/compile --json | jq -s '.[0].from_build'"
	wait_for 20 "v0.0.1 in staging" holds v0.0.1 live_in staging
	exits 0 davit builds 3
	says "taken      compile"
	# It is what compile made in build 1 that goes out.
	is "$(awk '{ $1 = $2 = ""; print }' <<<"$id" | xargs)" sh -c "tar xOf '$T/state/builds/apps/shop/release.tar' bin/id | xargs"

	# All of it again, and nothing of it taken.
	exits 0 in_repo build --again 3 --from-start
	is 2 hits compile
	is passed state_of 4 compile
	is null build_of 4 .from_build
	exits 2 in_repo build --from-start
	says "--from-start is for --again."
	exits 2 in_repo build --local --from-start
	exits 0 davit audit --verify
	[ ! -e "$T/state/builds/apps/shop/run" ]
}

@test "what is missing or damaged is made again, and all that stands on it" {
	local kept
	pipeline "$FIRST_STAGES
  unit: { needs: [compile], network: true, run: ./hit unit, outputs: [bin/] }
  last: { needs: [unit, lint], network: true, run: \"./hit last; exit 3\" }"
	commit First
	up
	exits 10 in_repo build
	kept=$T/state/builds/apps/shop/kept
	is 700 stat -c %a "$kept"
	echo damage >>"$(echo "$kept"/outputs/compile-*/bin/id)"
	exits 10 in_repo build --again 1
	is passed state_of 2 compile
	is passed state_of 2 unit
	is taken state_of 2 lint
	is 2 hits compile
	is 2 hits unit
	is 1 hits lint
	rm -r "$kept"/outputs/unit-*
	exits 10 in_repo build --again 2
	is taken state_of 3 compile
	is 2 from_of 3 compile
	is passed state_of 3 unit
	printf 'davit kept 1\n' >"$kept/builds/3/lint"
	exits 10 in_repo build --again 3
	is passed state_of 4 lint
	is taken state_of 4 unit
	is 2 hits lint
	# Nothing but numbers and digests is known of a stage.
	is 0 sh -c "cat '$kept'/builds/*/{compile,lint,unit} 2>/dev/null | grep -v '^davit kept 1\$' | grep -cvE '^[-0-9a-f ]+\$' || true"

	# Another commit takes nothing; ten builds are kept, and no more.
	local i
	for i in 1 2 3 4 5 6 7 8; do
		commit "Number $i"
		in_repo build >/dev/null 2>&1 || true
	done
	is 10 sh -c "ls '$kept/builds' | wc -l"
	is 10 hits compile
	exits 10 in_repo build --again 1
	is passed state_of 13 compile
}

# Killed while `unit` waits. KILL names what is killed; what passed before does not run again.
killed_in_the_middle() {
	local number=$1 id go follower
	go=$(free_port)
	waiting_pipeline "$number" "$go"
	commit "Number $number"
	: >"$T/hits"
	in_repo build --to staging >"$T/build.out" 2>&1 3>&- 4>&- &
	follower=$!
	wait_for 20 "compile to pass" holds passed state_of "$number" compile
	wait_for 20 "lint to pass" holds passed state_of "$number" lint
	wait_for 20 "unit to wait" grep -qx "go-$number" "$T/hits"
	id=$(davit logs build/"$number"/compile)
	"kill_$2"
	wait_for 30 "the server" controller_is_back
	wait_for 30 "unit to run again" holds 2 hits unit
	wait_for 20 "the stage to be shown" holds running state_of "$number" unit
	is passed state_of "$number" compile
	(cd "$T" && exec python3 -m http.server --bind 127.0.0.1 "$go" >/dev/null 2>&1 3>&- 4>&-) &
	chaos_pids+=($!)
	wait_for 40 "the build to pass" holds passed build_of "$number" .state
	is 1 hits compile
	is 1 hits lint
	is 2 hits unit
	is "$id" davit logs "build/$number/compile"
	is null from_of "$number" compile
	is 1 build_of "$number" '.rollouts | map(select(.rollout > 0)) | length'
	wait "$follower" || true
	wait_for 20 "the sandboxes to be gone" holds 0 sandboxes
	[ ! -e "$T/state/builds/apps/shop/run" ]
}
kill_builder() { kill -9 "$(pids_of builder)"; }
kill_controller() { kill -9 "$(pids_of controller)"; }
kill_server() {
	# shellcheck disable=SC2046 # one word each
	kill -9 "$up_pid" $(pids_of gateway) $(pids_of controller)
	wait "$up_pid" || true
	up
}

@test "whatever is killed, a build goes on with the stages that had not passed, and goes out once" {
	up
	killed_in_the_middle 1 builder
	killed_in_the_middle 2 controller
	killed_in_the_middle 3 server
	is 3 rollouts_of staging
	exits 0 davit audit --verify
}

@test "a branch reads the cache of main and writes its own; main never reads that of a branch" {
	pipeline '  vendor: { run: "cat deps/lib 2>/dev/null || { mkdir deps; echo made by $DAVIT_BRANCH >deps/lib; cat deps/lib; }", cache: { key: [lock], paths: [deps/] } }'
	echo 1 >"$R/lock"
	commit First
	up
	wrote() { davit logs "build/$1/vendor" | tail -n 1 | cut -d' ' -f3-; }
	g branch evil
	g branch other
	exits 0 in_repo build evil
	is "made by evil" wrote 1
	# What the branch made is there for itself, and for nobody else.
	exits 0 in_repo build --again 1 --from-start
	is "made by evil" wrote 2
	exits 0 in_repo build main
	is "made by main" wrote 3
	exits 0 in_repo build other
	is "made by main" wrote 4
	exits 0 in_repo build evil
	is "made by evil" wrote 5
	is 2 sh -c "ls '$T/state/builds/apps/shop/cache' | wc -l"
}

@test "a newer commit takes the place of one that waits where its environments supersede, and is told" {
	local go
	go=$(free_port)
	staging ', concurrency: supersede'
	pipeline '  package: { archive: [app, n] }'
	echo 1 >"$R/n"
	commit First
	up
	in_repo remote >/dev/null
	exits 0 g push davit main
	waiting_pipeline 0 "$go"
	commit 'This one runs'
	in_repo build --to staging >"$T/build.2" 2>&1 3>&- 4>&- &
	wait_for 20 "it to run" holds running state_of 2 unit
	echo 3 >"$R/n"
	commit 'This one waits'
	(in_repo build --to staging >"$T/build.3" 2>&1 || echo $? >"$T/code.3") 3>&- 4>&- &
	wait_for 20 "it to wait" holds queued build_of 3 .state
	echo 4 >"$R/n"
	commit 'This one is newer'
	in_repo build --to staging >"$T/build.4" 2>&1 3>&- 4>&- &
	wait_for 20 "the older one to give way" holds superseded build_of 3 .state
	is 4 build_of 3 .superseded_by
	is "Build 4 of a newer commit took its place." build_of 3 .why
	wait_for 10 "the one who waits for it to know" test -s "$T/code.3"
	is 15 cat "$T/code.3"
	grep -q "superseded.*Build 4 of a newer commit took its place" "$T/build.3"
	is running build_of 2 .state
	is queued build_of 4 .state
	exits 0 davit build --cancel 2
	exits 0 davit build --cancel 4
	wait_for 20 "the first to end" holds cancelled build_of 2 .state
	exits 0 davit audit --verify
}
