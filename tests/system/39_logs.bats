#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What builds write is kept within the bounds of the server's own file.

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
# saying TEXT...: a commit whose stage unit writes these lines
saying() {
	printf 'echo "%s"\n' "$@" >"$R/test.sh"
	commit
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
	exits 3 davit logs build/3/unit
	says "The log of build 3 is no longer kept."
	exits 0 davit logs build/2
	says "number two"
	# By size, from the next start on.
	down
	echo 'logs: { bytes: 1MiB }' >"$T/server.yaml"
	head -c 2000000 /dev/zero >"$T/state/builds/logs/2/unit.log"
	up --server "$T/server.yaml"
	wait_for 10 "the large one to go" holds "4 5" kept
}
