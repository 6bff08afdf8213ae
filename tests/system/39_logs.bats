#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What builds and instances write: followed by whoever comes later, searched, and kept within the bounds of the server's file.

load lib.bash

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	INSTANCES=1
	STRATEGY='[switch]'
	ENVIRONMENT_EXTRA='    analysis: off'
	R=$T/repo
	mkdir "$R"
	chmod 755 "$T" "$R"
	g init -q -b main
	g config user.name Ann
	g config user.email ann@example.com
	cp "$BUILD/tests/system/app" "$R/app"
	echo 'echo all is well' >"$R/test.sh"
	pipeline '  unit: { run: "sh test.sh" }
  package: { needs: [unit], run: "echo packing", archive: [app, test.sh] }'
}

teardown() { kit_teardown; }

g() { git -C "$R" "$@" 3>&- 4>&-; }
in_repo() { (cd "$R" && exec "$DAVIT" "$@" </dev/null 3>&- 4>&-); }
pipeline() {
	EXTRA=$(printf 'pipeline:\n%s' "$1")
	write_config "$R/davit.yaml"
}
commit() { g add -A && g commit -q --allow-empty -m "A change"; }
build_of() { davit builds "$1" --json | jq -r "$2"; }
state_of() { build_of "$1" .state; }
# saying TEXT...: a commit whose stage unit writes these lines
saying() {
	printf 'echo "%s"\n' "$@" >"$R/test.sh"
	commit
}

@test "who comes later follows a build to its end: all its lines, and how it ended" {
	local follower number
	# shellcheck disable=SC2016
	echo 'i=0; while [ $i -lt 40 ]; do echo "line $i"; i=$((i + 1)); sleep 0.1; done' >"$R/test.sh"
	commit
	up
	(cd "$R" && exec "$DAVIT" build >"$T/build.out" 2>"$T/build.err" </dev/null 3>&- 4>&-) &
	follower=$!
	wait_for 20 "the stage to run" holds running build_of 1 '.stages[] | select(.stage == "unit") | .state'
	kill -INT "$follower"
	number=0
	wait "$follower" || number=$?
	[ "$number" = 130 ]
	grep -q "Next: davit watch build/1" "$T/build.err"

	davit logs build/1/unit -f >"$T/lines" &
	follower=$!
	davit logs build/1 -f -n 1 --json >"$T/lines.json" &
	chaos_pids+=($!)
	exits 0 davit watch build/1
	says "✔ passed     unit"
	says "✔ passed     build 1  release v0.0.1"
	wait "$follower"
	wait "${chaos_pids[0]}"
	chaos_pids=()
	is "$(for ((i = 0; i < 40; i++)); do echo "unit line $i"; done)" sed -E 's/^unit [^ ]+ /unit /' "$T/lines"
	# The last line that there was, and what came then; of each stage.
	is "unit line 39" jq -rs '[.[] | select(.stage == "unit")] | last | "\(.stage) \(.line | sub("^[^ ]+ "; ""))"' "$T/lines.json"
	is package jq -rs 'last | .stage' "$T/lines.json"

	# Of one that has ended it is what there is, and so many lines as were asked for.
	is 1 jq -s length <<<"$(davit logs build/1/unit -n 1 --json)"
	exits 0 davit logs build/1 -n 1
	is "unit line 39
package packing" sed -E 's/^([a-z]+) [^ ]+ /\1 /' <<<"$output"
	is "$(davit logs build/1/unit)" davit logs build/1/unit -f
	exits 0 davit watch build/1 --json
	is "davit.v1/server-build passed" jq -rs 'last | "\(.schema) \(.state)"' <<<"$output"
	exits 2 davit watch build/1/unit
	says "davit logs build/1/unit -f"
	exits 3 davit logs build/1/none -f
	exits 3 davit watch build/2
	exits 2 davit logs build/1 --instance x

	echo 'echo it is wrong; exit 3' >"$R/test.sh"
	commit
	exits 10 in_repo build
	exits 10 davit watch build/2
	says "it is wrong"
}

@test "a text is found in a build, in all builds, and in what instances write" {
	saying "all is well" "a.c:7: Error: no such thing" "a+b"
	up
	exits 0 in_repo build
	saying "nothing here"
	exits 0 in_repo build
	saying "one" "b.c:9: Error: none"
	exits 0 in_repo build --to prod
	wait_for 20 "it to be live" holds v0.0.3 live_tag

	exits 0 davit logs --grep 'Error: no'
	is "build/3/unit:2 b.c:9: Error: none
build/1/unit:2 a.c:7: Error: no such thing" sed -E 's/ [0-9T:.-]+Z / /' <<<"$output"
	exits 0 davit logs --grep 'error: no' --app shop
	says "No line of 6 logs has it."
	exits 0 davit logs --grep 'error: no' -i build/1/unit --json
	is "davit.v1/log-match 1 unit 2 a.c:7: Error: no such thing" \
		jq -rs 'first | "\(.schema) \(.build) \(.stage) \(.line) \(.text)"' <<<"$output"
	is "davit.v1/log-search false 1" jq -rs 'last | "\(.schema) \(.more) \(.files)"' <<<"$output"
	is 2 jq -s length <<<"$output"
	# As it is written, no pattern.
	exits 0 davit logs --grep 'a+b'
	says "build/1/unit:3"
	exits 0 davit logs --grep 'a.c.7'
	says "No line"
	exits 0 davit logs --grep thing -n 1
	is 1 wc -l <<<"$output"
	says "The first 1 lines that have it are shown, and there are more."

	says_it() { davit logs prod --grep "$@" | grep -q .; }
	wait_for 10 "the instance to say it" says_it 'starts, pid'
	exits 0 davit logs prod --grep 'starts, pid' --json
	is true jq -s 'first | .time != null and .instance != null' <<<"$output"
	exits 0 davit logs prod --grep 'starts, pid' --since 1h
	[ -n "$output" ]

	exits 3 davit logs --grep x build/9
	exits 2 davit logs --grep x build/1 --app shop
	exits 2 davit logs --grep x build/1 -f
	exits 2 davit logs --grep '' build/1
	exits 2 davit logs --grep x --since yesterday
	exits 2 davit logs
	exits 2 davit logs prod --since 1h
}

@test "the logs of old builds go, those of one that failed stay, and that they went is said" {
	echo 'logs: { builds: 2, failed: 90d }' >"$T/server.yaml"
	saying "number one"
	up --server "$T/server.yaml"
	exits 0 in_repo build
	echo 'echo number two; exit 1' >"$R/test.sh"
	commit
	exits 10 in_repo build
	for i in three four five; do
		saying "number $i"
		exits 0 in_repo build
	done
	kept() { (cd "$T/state/builds/logs" && echo *); }
	wait_for 10 "the oldest to go" holds "2 4 5" kept
	exits 3 davit logs build/1
	says "The log of build 1 is no longer kept."
	exits 3 davit logs build/3/unit -f
	says "The log of build 3 is no longer kept."
	exits 3 davit logs --grep number build/3
	says "The log of build 3 is no longer kept."
	exits 0 davit logs build/2
	says "number two"
	exits 0 davit logs --grep 'number '
	is "build/5/unit:1 build/4/unit:1 build/2/unit:1" sh -c "cut -d' ' -f1 <<'X' | tr '\n' ' ' | sed 's/ \$//'
$output
X"
	# By size, from the next start on.
	down
	echo 'logs: { bytes: 1MiB }' >"$T/server.yaml"
	head -c 2000000 /dev/zero >"$T/state/builds/logs/2/unit.log"
	up --server "$T/server.yaml"
	wait_for 10 "the large one to go" holds "4 5" kept
}

@test "status costs the same while a thousand builds wait, and short ones keep their order" {
	local server before after client cpu
	pipeline "  unit: { run: sleep 600, timeout: 20m }
  package: { needs: [unit], archive: [app] }"
	commit
	up
	in_repo build >"$T/build.out" 2>&1 &
	wait_for 20 "the first one to run" holds running build_of 1 '.stages[] | select(.stage == "unit") | .state'
	pipeline "  package: { run: \"true\", archive: [app] }"
	commit
	orders 2 21
	pipeline "  unit: { run: sleep 600, timeout: 20m }
  package: { needs: [unit], archive: [app] }"
	commit
	orders 22 1001
	is 1000 jq '[.builds[] | select(.state == "queued")] | length' <<<"$(davit builds --limit 1000 --json)"

	# Processor time, of the server and of who asks: what else runs on this machine does not count.
	server=$(pgrep -f "davit controller --state $T/state")
	ticks() { awk '{ print $14 + $15 }' "/proc/$server/stat"; }
	before=$(ticks)
	TIMEFORMAT='%U %S'
	client=$({ time for ((i = 0; i < 20; i++)); do "$DAVIT" status >/dev/null 3>&-; done; } 2>&1)
	after=$(ticks)
	cpu=$(awk -v ticks=$((after - before)) -v hertz="$(getconf CLK_TCK)" '{ printf "%d", (($1 + $2) + ticks / hertz) * 1000 / 20 }' <<<"$client")
	echo "a call of davit status: $cpu ms"
	((cpu < 50))

	exits 0 davit build --cancel 1
	wait_for 120 "the twentieth to pass" holds passed state_of 21
	davit builds --limit 1000 --json >"$T/builds"
	is "$(seq 2 21)" jq -r '[.builds[] | select(.state == "passed")] | sort_by(.started_unix_ms)[].number' "$T/builds"
	is true jq '[.builds[] | select(.state == "passed")] | sort_by(.number) | . as $b | all(range(1; length); $b[.].started_unix_ms >= $b[. - 1].ended_unix_ms)' "$T/builds"
	exits 0 davit build --cancel 22
}
# orders FIRST LAST: of the newest commit, of branches of their own
orders() {
	python3 - "$R/.git" "$(g rev-parse HEAD)" "$T/state/api.sock" "$1" "$2" <<-'PY'
		import http.client, json, socket, sys
		class Local(http.client.HTTPConnection):
		    def connect(self):
		        self.sock = socket.socket(socket.AF_UNIX)
		        self.sock.connect(sys.argv[3])
		api = Local("davit")
		for i in range(int(sys.argv[4]), int(sys.argv[5]) + 1):
		    api.request("POST", "/v1/builds", json.dumps({"app": "shop", "repository": sys.argv[1], "commit": sys.argv[2], "ref": f"refs/heads/b{i}"}),
		        {"Content-Type": "application/json"})
		    assert json.load(api.getresponse())["number"] == i, i
	PY
}

@test "a push shows all that a stage writes, also when it writes much at once" {
	echo 'seq 1 60000' >"$R/test.sh"
	ENVIRONMENT_EXTRA='    analysis: off
    trigger: { branch: main }'
	pipeline '  unit: { run: "sh test.sh" }
  package: { needs: [unit], archive: [app, test.sh] }'
	commit
	up
	exits 0 in_repo remote
	g push davit main >"$T/pushed" 2>&1
	is 60000 grep -c 'unit    | ' "$T/pushed"
	is 60000 wc -l <<<"$(davit logs build/1/unit -f)"
}

@test "what docs/how-to/logs.md tells people to type does what it says" {
	local top page name
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	page=docs/how-to/logs.md
	saying "cc: error: no such file: src/cart.c" "a Timeout of 3 s"
	sed -n '/^logs: {/p' "$top/$page" >"$T/server.yaml"
	up --server "$T/server.yaml"
	exits 0 in_repo build --to prod
	wait_for 20 "it to be live" holds v0.0.1 live_tag
	for name in follow search; do
		python3 - "$top/$page" "$name" <<-'PY' | sed 's/greet/shop/' >"$T/block.$name"
			import re, sys
			found = re.findall(rf"<!-- run: {sys.argv[2]} -->\n```sh\n(.*?)^```", open(sys.argv[1]).read(), re.M | re.S)
			print(found[0], end="") if len(found) == 1 else sys.exit("not one block")
		PY
		(cd "$T" && exec env PATH="$BUILD:$PATH" bash -e "$T/block.$name") >"$T/said.$name" 2>&1 </dev/null 3>&- || { cat "$T/said.$name"; false; }
	done
	is 2 grep -c '<!-- run:' "$top/$page"
	grep -q 'passed     build 1' "$T/said.follow"
	is 3 grep -c '^build/1/unit:1 .* cc: error: no such file: src/cart.c$' "$T/said.search"
	is 1 grep -c '^build/1/unit:2 .* a Timeout of 3 s$' "$T/said.search"
}
