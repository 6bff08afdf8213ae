#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `migrate`: what runs before the first instance and after the bake, once, as the release; the point of no return.

load lib.bash

setup() {
	kit_setup
	INSTANCES=1
	STRATEGY='[switch]'
	SERVICE_EXTRA='  env: { SHOP: here }'
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
}

teardown() { kit_teardown; }

# migrating TAG YAML: a release with `migrate:`, and a script that writes down how it was called
migrating() {
	EXTRA="migrate: $2"
	release "$1"
	cat >"$T/rel/$1/migrate" <<SH
#!/bin/sh
echo "\$1 \$DAVIT_KEY \$DAVIT_RELEASE \$DAVIT_ENVIRONMENT \$SHOP \$(ls release.conf)" >>"$T/journal.migrate"
echo "\$1 speaks"
[ ! -e "$T/fail.\$1" ] || exit 3
while [ -e "$T/wait.\$1" ]; do sleep 0.05; done
SH
	chmod +x "$T/rel/$1/migrate"
}

calls() { grep -c "^$1 " "$T/journal.migrate" || true; }

# How many processes of a command there are.
running() { orphans | grep -c "migrate $1 *\$" || true; }

step_op() { rollout '.steps[.step].op'; }

@test "before runs before the first instance, after when only the new release is left; each once, as the release" {
	up
	migrating v1 '{ before: ./migrate before, after: ./migrate after }'
	deploy v1
	[ "$status" = 0 ]
	is 1 calls before
	is 1 calls after
	grep -q "^before shop/prod/1/before v1 prod here release.conf$" "$T/journal.migrate"
	grep -q "^after shop/prod/1/after v1 prod here release.conf$" "$T/journal.migrate"
	exits 0 davit logs prod/migrate-after
	says "after speaks"
	is serving environment .state
	is 1 environment '.instances | length'

	# A restart is no rollout of something new, and neither command runs.
	exits 0 davit restart prod
	is 1 calls before
	is 1 calls after
	exits 0 davit audit --verify
}

@test "a before that fails ends the rollout: nothing of the release has started, and its last words are shown" {
	up
	migrating v1 '{ before: ./migrate before }'
	deploy v1
	[ "$status" = 0 ]
	touch "$T/fail.before"
	migrating v2 '{ before: ./migrate before }'
	load_start
	deploy v2
	[ "$status" = 11 ]
	says "migrate-before failed: It exited with 3"
	says "before speaks"
	load_stop
	load_is_clean
	is v1 live_tag
	is 0 instances_of v2
	is 2 calls before
}

@test "the point of no return is asked for; after it a rollback wants a second word, and the audit log has it" {
	up
	migrating v1 '{ before: ./migrate before }'
	deploy v1
	[ "$status" = 0 ]
	migrating v2 '{ before: ./migrate before, after: ./migrate after }'
	load_start
	deploy v2 --detach
	[ "$status" = 0 ]
	wait_for 20 "the question" holds gate step_op
	exits 0 davit why prod
	says "point of no return"
	says "davit approve prod"
	is 0 calls after
	fails davit promote prod
	is 1 instances_of v1
	exits 0 davit approve prod -m "it is good"
	wait_for 20 "v2 to be live" holds succeeded rollout .state
	is 1 calls after
	is 0 instances_of v1
	wait_for 5 "a rollback to be refused" exits 4 davit rollback prod
	says "ran migrate.after of v2"
	says "--across-migration"
	exits 4 davit rollback prod --to v1
	is v2 live_tag
	exits 0 davit rollback prod --across-migration -m "restored the backup"
	is v1 live_tag
	load_stop
	load_is_clean
	is 1 calls after
	is 2 calls before
	exits 0 davit audit --json
	says "Back to v1, across migrate.after of v2 (rollout 2)."
	says '"action":"migrate.began"'
	exits 0 davit audit --verify
}

@test "a no at the point of no return takes the release back, and nothing is lost" {
	up
	migrating v1 '{ before: ./migrate before }'
	deploy v1
	migrating v2 '{ before: ./migrate before, after: ./migrate after }'
	deploy v2 --detach
	wait_for 20 "the question" holds gate step_op
	exits 0 davit reject prod -m "not yet"
	wait_for 20 "v1 to be back" holds reverted rollout .state
	is v1 live_tag
	is 0 calls after
	wait_for 10 "v2 to be gone" holds 0 instances_of v2
}

@test "an after that fails waits for a person: it runs again, or is left undone; nothing goes back by itself" {
	up
	touch "$T/fail.after"
	migrating v1 '{ after: ./migrate after, ask: false }'
	deploy v1 --detach
	wait_for 20 "it to wait" holds paused rollout .state
	is v1 live_tag
	exits 0 davit why prod
	says "migrate-after failed: It exited with 3"
	says "davit resume prod"
	fails davit abort prod
	exits 0 davit resume prod
	wait_for 20 "the second try" holds 2 calls after
	wait_for 20 "it to wait again" holds paused rollout .state
	exits 0 davit promote prod
	wait_for 20 "the end" holds succeeded rollout .state
	is 2 calls after
	is 1 eval "awk '{ print \$2 }' '$T/journal.migrate' | sort -u | wc -l"

	# What comes next asks for its own.
	rm "$T/fail.after"
	migrating v2 '{ after: ./migrate after, ask: false }'
	deploy v2
	[ "$status" = 0 ]
	is 3 calls after
}

@test "a controller that is killed during a command finds it running, or how it ended; it runs once" {
	up
	touch "$T/wait.before"
	migrating v1 '{ before: ./migrate before }'
	deploy v1 --detach
	wait_for 20 "the command to run" holds 1 calls before
	kill -9 "$(pids_of controller)"
	wait_for 15 "the controller" holds hook step_op
	is running rollout .state
	rm "$T/wait.before"
	wait_for 20 "the end" holds succeeded rollout .state
	is 1 calls before
}

@test "a command whose keeper is killed as well runs again under the same key" {
	up
	touch "$T/wait.before"
	migrating v1 '{ before: ./migrate before }'
	deploy v1 --detach
	wait_for 20 "the command to run" holds 1 calls before
	kill -9 "$(pids_of keeper)"
	rm "$T/wait.before"
	wait_for 30 "the end" holds succeeded rollout .state
	is 2 calls before
	is 1 eval "awk '{ print \$2 }' '$T/journal.migrate' | sort -u | wc -l"
}

@test "an abort ends a command that runs, and so does its time; no process is left" {
	up
	touch "$T/wait.before"
	migrating v1 '{ before: ./migrate before }'
	deploy v1 --detach
	wait_for 20 "the command to run" holds 1 calls before
	exits 0 davit abort prod
	wait_for 20 "it to be over" holds reverted rollout .state
	wait_for 20 "no command to be left" holds 0 running before
	migrating v2 '{ before: ./migrate before, timeout: 1s }'
	deploy v2
	[ "$status" = 11 ]
	wait_for 20 "no command to be left" holds 0 running before
}

@test "an after whose time is over is ended, and never do two of it run at the same time" {
	up
	touch "$T/wait.after"
	migrating v1 '{ after: ./migrate after, ask: false, timeout: 5s }'
	# It does not want to go.
	sed -i 's/^echo "$1 speaks"/trap "" TERM/' "$T/rel/v1/migrate"
	deploy v1 --detach
	wait_for 20 "its time to be over" holds paused rollout .state
	is 1 calls after
	exits 0 davit why prod
	says "migrate-after did not end in its time"
	exits 0 davit resume prod
	wait_for 20 "the second try" holds 2 calls after
	is 1 running after
	rm "$T/wait.after"
	wait_for 20 "the end" holds succeeded rollout .state
	is 2 calls after
}

@test "a stop of the server ends a command that runs; the next start runs it again under the same key" {
	up
	touch "$T/wait.before"
	migrating v1 '{ before: ./migrate before }'
	deploy v1 --detach
	wait_for 20 "the command to run" holds 1 calls before
	down
	is 0 running before
	rm "$T/wait.before"
	up
	wait_for 30 "the end" holds succeeded rollout .state
	is 2 calls before
	is 1 eval "awk '{ print \$2 }' '$T/journal.migrate' | sort -u | wc -l"
}

@test "a rollback by those who insist does not wait for a command that runs" {
	up
	migrating v1 '{ before: ./migrate before }'
	deploy v1
	touch "$T/wait.after"
	migrating v2 '{ after: ./migrate after, ask: false }'
	deploy v2 --detach
	wait_for 20 "the command to run" holds 1 calls after
	exits 4 davit rollback prod
	exits 0 davit rollback prod --across-migration
	is v1 live_tag
	wait_for 20 "no command to be left" holds 0 running after
}

# The blocks of a document that begin with <!-- run: NAME -->, with the address that this test has.
block() {
	python3 - "$TOP/docs/how-to/migrations.md" "$1" <<'PYTHON' | sed "s/127\.0\.0\.1:8080/127.0.0.1:$PORT/"
import re, sys
found = re.findall(rf"<!-- run: {sys.argv[2]} -->\n```sh\n(.*?)^```", open(sys.argv[1]).read(), re.M | re.S)
assert len(found) == 1, sys.argv[2]
print(found[0])
PYTHON
}

# run_block NAME: below $T, with davit in the PATH
run_block() {
	local place=$T/ledger
	[ -d "$place" ] || place=$T
	mkdir -p "$T/bin"
	ln -sf "$DAVIT" "$T/bin/davit"
	block "$1" >"$T/block.sh"
	exits 0 env -C "$place" PATH="$T/bin:$PATH" bash -e "$T/block.sh"
}

@test "what the document says is what happens" {
	is 4 grep -c '<!-- run:' "$TOP/docs/how-to/migrations.md"
	up
	run_block project
	says "expand for v1"
	run_block second
	wait_for 20 "the question" holds gate step_op
	run_block approve
	says "contract for v2"
	run_block back
	says "exit code 4"
	says "is live in prod"
	is v1 live_tag
	is "expand v1 contract v1 expand v2 contract v2" eval "xargs <'$T'/state/persist/ledger/prod/storage/schema"
}
