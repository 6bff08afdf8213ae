#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `infrastructure`: what would change is planned, asked about and applied before a release begins; one plan from the first
# command to the second, whatever dies or meddles.

load lib.bash

setup() {
	kit_setup
	INSTANCES=1
	STRATEGY='[switch]'
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
}

teardown() { kit_teardown; }

# planned TAG [MORE]: a release whose commands bring the number of machines to that in its file `machines`
planned() {
	EXTRA='analysis: off'
	ENVIRONMENT_EXTRA="    infrastructure: { plan: ./infra plan, apply: ./infra apply${2:+, $2} }
${3:-}"
	release "$1"
	echo "${MACHINES:-1}" >"$T/rel/$1/machines"
	cat >"$T/rel/$1/infra" <<SH
#!/bin/sh
echo "\$1 \$DAVIT_RELEASE after \${DAVIT_PREVIOUS:-nothing} \$DAVIT_KEY" >>"$T/journal.infra"
while [ -e "$T/wait.\$1" ]; do sleep 0.05; done
[ ! -e "$T/fail.\$1" ] || exit 3
have=\$(cat "$T/machines" 2>/dev/null || echo 0) want=\$(cat machines)
case \$1 in
plan)
	if [ "\$have" = "\$want" ]; then echo "No changes."; exit 0; fi
	[ -e "$T/forget" ] || { echo "\$want"; cat "$T/salt" 2>/dev/null; } >"\$DAVIT_PLAN"
	printf 'Plan: %s machines become %s.\\033[31m\\n' "\$have" "\$want"
	exit 2
	;;
apply)
	head -n 1 "\$DAVIT_PLAN" >"$T/machines"
	echo "applied \$(cat "$T/machines")"
	;;
esac
SH
	chmod +x "$T/rel/$1/infra"
}

calls() { grep -c "^$1 " "$T/journal.infra" 2>/dev/null || true; }
machines() { cat "$T/machines" 2>/dev/null || echo none; }
step_op() { rollout '.steps[.step].op'; }
asked() { wait_for 20 "the question" holds true rollout '.gate != null'; }

@test "changes are planned, shown, asked about, and applied before anything of the release starts" {
	up
	planned v1
	deploy v1 --detach
	asked
	is 1 calls plan
	is 0 calls apply
	is 0 instances_of v1
	is none machines
	exits 0 davit why prod
	says "Nothing has begun"
	says "infrastructure changes"
	says "| Plan: 0 machines become 1."
	fails grep -q $'\033' <<<"$output"
	is true rollout .infrastructure.changes
	is "$(echo 1 | sha256sum | cut -c1-64)" rollout .infrastructure.digest
	exits 0 davit approve prod -m "one machine"
	wait_for 20 "the end" holds succeeded rollout .state
	is 1 machines
	is "plan v1 after nothing shop/prod/1/plan" sed -n 1p "$T/journal.infra"
	is "apply v1 after nothing shop/prod/1/apply" sed -n 2p "$T/journal.infra"
	exits 0 davit logs prod/infrastructure-apply
	says "applied 1"
	is "" ls "$T/state/plans"

	# Nothing to do: nobody is asked, and nothing is applied.
	planned v2
	deploy v2
	[ "$status" = 0 ]
	is 2 calls plan
	is 1 calls apply
	# Neither runs on a way back or a restart.
	exits 0 davit rollback prod
	exits 0 davit restart prod
	is 2 calls plan
	exits 0 davit audit --json
	says '"action":"infrastructure.began"'
	exits 0 davit audit --verify
}

@test "one question, to those of approve, once it is known what changes; a no ends it, and users saw nothing" {
	up
	planned v1 'approve_changes: false'
	deploy v1
	[ "$status" = 0 ]
	is 1 machines
	MACHINES=2 planned v2 'approve_changes: true' '    approve: { count: 1, not_author: false, expires: 10m }'
	load_start
	deploy v2 --detach
	asked
	is 2 calls plan
	is running rollout .state
	exits 0 davit reject prod -m "too dear"
	wait_for 20 "it to be over" holds reverted rollout .state
	load_stop
	load_is_clean
	is v1 live_tag
	is 1 machines
	is 1 calls apply
	is 0 instances_of v2
	# Without changes those of `approve` are asked all the same.
	planned v3 'approve_changes: true' '    approve: { count: 1, not_author: false, expires: 10m }'
	deploy v3 --detach
	asked
	is false rollout .infrastructure.changes
	exits 0 davit approve prod
	wait_for 20 "v3 to be live" holds succeeded rollout .state
	is 1 calls apply
}

@test "either that fails ends the rollout before it has begun" {
	up
	planned v1 'approve_changes: false'
	deploy v1
	touch "$T/fail.plan"
	MACHINES=2 planned v2 'approve_changes: false'
	deploy v2
	[ "$status" = 11 ]
	says "infrastructure-plan failed: It exited with 3"
	rm "$T/fail.plan"
	touch "$T/forget"
	exits 11 davit deploy prod v2
	says 'and wrote no file $DAVIT_PLAN'
	rm "$T/forget"
	touch "$T/fail.apply"
	exits 11 davit deploy prod v2
	says "infrastructure-apply failed: It exited with 3"
	is v1 live_tag
	is 1 machines
	is 0 instances_of v2
	rm "$T/fail.apply"
	exits 0 davit deploy prod v2
	is 2 machines
}

@test "a plan that somebody changes after the answer is not applied; nor is an answer to another one counted" {
	up
	planned v1
	deploy v1 --detach
	asked
	seen=$(rollout .gate.hash)
	file=$(echo "$T"/state/plans/*.plan)
	chmod u+w "$file"
	echo 9 >"$file"
	exits 0 davit approve prod
	wait_for 20 "it to be over" holds reverted rollout .state
	is 0 calls apply
	is none machines
	exits 0 davit why prod
	says "is not what was approved"

	# The same release and the same plan are one thing to say yes to; with another plan they are another.
	exits 0 davit deploy prod v1 --detach
	asked
	is "$seen" rollout .gate.hash
	exits 0 davit abort prod
	wait_for 20 "it to be over" holds reverted rollout .state
	echo more >"$T/salt"
	exits 0 davit deploy prod v1 --detach
	asked
	fails holds "$seen" rollout .gate.hash
}

@test "dead at any instant, what is planned and answered stands, and it is applied once" {
	up
	touch "$T/wait.plan"
	planned v1
	deploy v1 --detach
	wait_for 20 "the plan" holds 1 calls plan
	kill -9 "$(pids_of controller)"
	rm "$T/wait.plan"
	wait_for 20 "the controller" holds gate step_op
	asked
	hash=$(rollout .gate.hash)
	kill -9 "$(pids_of controller)"
	wait_for 20 "the controller" holds gate step_op
	asked
	is "$hash" rollout .gate.hash
	touch "$T/wait.apply"
	exits 0 davit approve prod
	wait_for 20 "it to be applied" holds 1 calls apply
	kill -9 "$(pids_of controller)"
	wait_for 20 "the controller" holds hook step_op
	rm "$T/wait.apply"
	wait_for 20 "the end" holds succeeded rollout .state
	is 1 calls plan
	is 1 calls apply
	is 1 machines
}

@test "a newer release takes the place of one that waits; a rollback does not wait for it" {
	up
	planned v1 'approve_changes: false'
	deploy v1
	MACHINES=2 planned v2
	deploy v2 --detach
	asked
	MACHINES=3 planned v3
	deploy v3 --detach
	wait_for 20 "v3 to take its place" holds v3 rollout .new.tag
	asked
	exits 0 davit rollback prod
	wait_for 20 "it to be over" holds reverted rollout .state
	is v1 live_tag
	is 1 machines
}

# The blocks of a document that begin with <!-- run: NAME -->, with the address that this test has.
block() {
	python3 - "$TOP/docs/how-to/infrastructure.md" "$1" <<'PYTHON' | sed "s/127\.0\.0\.1:8080/127.0.0.1:$PORT/"
import re, sys
found = re.findall(rf"<!-- run: {sys.argv[2]} -->\n```sh\n(.*?)^```", open(sys.argv[1]).read(), re.M | re.S)
assert len(found) == 1, sys.argv[2]
print(found[0])
PYTHON
}

# run_block NAME: below $T, with davit in the PATH
run_block() {
	local place=$T/farm
	[ -d "$place" ] || place=$T
	mkdir -p "$T/bin"
	ln -sf "$DAVIT" "$T/bin/davit"
	block "$1" >"$T/block.sh"
	exits 0 env -C "$place" PATH="$T/bin:$PATH" bash -e "$T/block.sh"
}

@test "what the document says is what happens" {
	is 2 grep -c '<!-- run:' "$TOP/docs/how-to/infrastructure.md"
	up
	run_block project
	asked
	run_block approve
	says "| Plan: 0 machines become 2."
	says "now there are 2 machines"
	is 2 cat "$T/state/persist/farm/prod/storage/machines"
}
