#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Where what is live is not what git says, davit status says so, by how much, and what keeps it from going out.

load lib.bash

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	STAGING_PORT=$(free_port)
	INSTANCES=1 STRATEGY=$FAST_BLUE_GREEN
	ENVIRONMENT_EXTRA="    trigger: { branch: main }
    tag: false
    analysis: off
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: blue-green, analysis: off, from: prod }"
	EXTRA='pipeline:
  unit: { run: "sh test.sh" }
  package: { needs: [unit], archive: [app, more] }'
	HOST=$T/host/acme/shop.git R=$T/repo
	git init -q --bare -b main "$HOST"
	mkdir "$R"
	chmod 755 "$T" "$R"
	g init -q -b main
	g config user.name Ann
	g config user.email ann@example.com
	g remote add host "$HOST"
	write_config "$R/davit.yaml"
	cp "$BUILD/tests/system/app" "$R/app"
	echo true >"$R/test.sh"
	change First
	printf 'sources: { shop: { git: "file://%s", poll: 1s } }\n' "$HOST" >"$T/server.yaml"
}

teardown() { kit_teardown; }

g() { git -C "$R" "$@" 3>&- 4>&-; }
change() {
	echo "$RANDOM $RANDOM" >"$R/more"
	g add -A && g commit -q -m "$1"
}
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }
drift_of() { davit status "$1" --json | jq -r ".applications[0].environments[0].drift$2"; }
shows() { davit status prod | grep -qF -- "$1"; }

@test "behind by how many commits, and what kept the newest from going out" {
	g push -q host main
	up --server "$T/server.yaml"
	wait_for 30 "v0.0.1 in prod" holds v0.0.1 live_in prod
	wait_for 10 "it to be told" holds current drift_of prod .state
	is main drift_of prod .of
	is "$(g rev-parse HEAD)" drift_of prod .tip
	fails shows drift

	change Second
	echo false >"$R/test.sh"
	change "Third \$(touch $T/evil) $(printf '\033[31m')"
	g push -q host main
	wait_for 30 "the failure" shows 'build 2 failed: unit'
	shows "drift      2 commits behind main (newest: Third \$(touch $T/evil) \\x1b[31m): build 2 failed: unit"
	is '{"state":"behind","behind":2,"ahead":0}' drift_of prod ' | {state, behind, ahead} | tostring'
	is "$(g rev-parse HEAD~2)" drift_of prod .live

	# What has a mistake is not built at all.
	echo true >"$R/test.sh"
	sed -i 's/^app: shop/apps: shop/' "$R/davit.yaml"
	change Fourth
	g push -q host main
	wait_for 20 "the next look" shows '3 commits behind main (newest: Fourth): no build of it was ordered (davit webhook)'

	# A host that is away changes nothing of what is known, and keeps no answer waiting.
	mv "$T/host" "$T/away"
	shows '3 commits behind main (newest: Fourth)'
	mv "$T/away" "$T/host"

	# A build that nothing came of, for nothing may go out.
	exits 0 davit freeze prod -m holidays
	sed -i 's/^apps: shop/app: shop/' "$R/davit.yaml"
	change Fifth
	g push -q host main
	wait_for 30 "the build" shows '4 commits behind main (newest: Fifth): build 3 passed, and nothing went out: '
	exits 0 davit unfreeze prod
	exits 0 davit deploy prod "$(davit builds 3 --json | jq -r .tag)"
	wait_for 10 "it to be told" holds current drift_of prod .state
	fails shows drift
	[ ! -e "$T/evil" ]
}

@test "taken back, rolled back, waiting, and what the environment before has" {
	g push -q host main
	up --server "$T/server.yaml"
	wait_for 30 "v0.0.1 in prod" holds v0.0.1 live_in prod
	exits 0 davit deploy staging v0.0.1
	wait_for 10 "it to be told" holds current drift_of staging .state
	is prod drift_of staging .of
	change Second
	g push -q host main
	wait_for 30 "v0.0.2 in prod" holds v0.0.2 live_in prod
	wait_for 10 "it to succeed" holds succeeded rollout .state
	wait_for 10 "it to be told" holds behind drift_of staging .state
	is '1 commit behind prod (newest: Second)' drift_of staging .text

	exits 0 davit rollback prod -m 'it is slow'
	wait_for 10 "it to be told" holds rolled-back drift_of prod .state
	shows 'rolled back, 1 commit behind main (newest: Second)'
	wait_for 10 "it to be told" holds current drift_of staging .state
	# After a restart git is asked again.
	down
	up --server "$T/server.yaml"
	wait_for 10 "it to be told" holds rolled-back drift_of prod .state

	# One that dies at its start comes back by itself, and is marked bad.
	cp "$R/app" "$R/app.good"
	printf '#!/bin/sh\nexit 3\n' >"$R/app"
	change Third
	g push -q host main
	wait_for 60 "the way back" eval 'drift_of prod .text | grep -q "was taken back"'
	is rolled-back drift_of prod .state
	mv "$R/app.good" "$R/app"
	sed -i "s/^    tag: false/    tag: false\n    approve: { not_author: false }/" "$R/davit.yaml"
	change Fourth
	g push -q host main
	wait_for 30 "the question" eval 'drift_of prod .text | grep -q "3 commits behind main (newest: Fourth): rollout [0-9]* waits: "'
	exits 0 davit approve prod --yes
	wait_for 30 "it to be told" holds current drift_of prod .state
	cp "$R/app" "$R/app.good"
	printf '#!/bin/sh\nexit 3\n' >"$R/app"
	change Fifth
	g push -q host main
	wait_for 30 "the question" holds gated rollout .state
	exits 0 davit approve prod --yes
	wait_for 60 "the way back" holds quarantined drift_of prod .state
	shows '1 commit behind main (newest: Fifth), whose release is marked bad here: '

	# Forced back to what is live: nothing is missing any more.
	g push -q -f host HEAD~1:main
	wait_for 30 "it to be told" holds current drift_of prod .state
}

@test "what is pushed to this server is compared as well; what follows nothing says nothing" {
	up
	exits 0 env -C "$R" "$DAVIT" remote
	exits 0 g push davit main
	wait_for 30 "v0.0.1 in prod" holds v0.0.1 live_in prod
	wait_for 10 "it to be told" holds current drift_of prod .state
	echo false >"$R/test.sh"
	change Second
	g push davit main >"$T/push.log" 2>&1 || true
	wait_for 20 "the failure" shows '1 commit behind main (newest: Second): build 2 failed: unit'
	is 'null' drift_of staging ''
}
