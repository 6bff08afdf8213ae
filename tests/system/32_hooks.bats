#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `hooks`: what runs before and after each step of the strategy; what it is told; once, over kills; never on a way back.

load lib.bash

setup() {
	kit_setup
	INSTANCES=1
	STRATEGY='[{ canary: { steps: [50%], each: { at_least: 200ms, at_most: 20s } } }, switch]'
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
}

teardown() { kit_teardown; }

# hooked TAG YAML [KEY=VALUE...]: a release with `hooks:`, and a script that writes down how it was called
hooked() {
	local tag=$1
	EXTRA="analysis: off
hooks: $2"
	shift 2
	release "$tag" "$@"
	cat >"$T/rel/$tag/hook" <<SH
#!/bin/sh
echo "\$DAVIT_HOOK \$DAVIT_STEP \$DAVIT_WEIGHT \$DAVIT_RELEASE after \${DAVIT_PREVIOUS:-nothing} \$DAVIT_APP/\$DAVIT_ENVIRONMENT \$DAVIT_ROLLOUT \$DAVIT_KEY" >>"$T/journal.hooks"
echo "\$DAVIT_HOOK of \$DAVIT_STEP speaks"
[ ! -e "$T/fail.\$DAVIT_HOOK" ] || exit 3
sleep 600 &
wait_for_it=\$!
while [ -e "$T/wait.\$DAVIT_HOOK" ]; do sleep 0.05; done
kill "\$wait_for_it" 2>/dev/null
exit 0
SH
	chmod +x "$T/rel/$tag/hook"
}

BOTH='{ before_step: ./hook, after_step: ./hook }'

# v1 is live, without any command.
live() {
	up
	EXTRA='analysis: off'
	release v1
	deploy v1
	[ "$status" = 0 ]
}

calls() { grep -c "^$1 " "$T/journal.hooks" 2>/dev/null || true; }
keys() { awk '{ print $NF }' "$T/journal.hooks" | sort -u | wc -l; }
processes() { orphans | grep -c -e "[h]ook *\$" -e "[s]leep 600" || true; }
step_op() { rollout '.steps[.step].op'; }

@test "a command runs before and after each step, is told where it is, and every call has a key of its own" {
	live
	hooked v2 "$BOTH"
	load_start
	deploy v2
	[ "$status" = 0 ]
	load_stop
	load_is_clean
	is v2 live_tag
	cat >"$T/expected" <<'END'
before_step 50% 0 v2 after v1 shop/prod 2 shop/prod/2/before_step/2
after_step 50% 50 v2 after v1 shop/prod 2 shop/prod/2/after_step/7
before_step switch 50 v2 after v1 shop/prod 2 shop/prod/2/before_step/8
after_step switch 100 v2 after v1 shop/prod 2 shop/prod/2/after_step/10
END
	diff "$T/expected" "$T/journal.hooks"
	exits 0 davit logs prod/after-step
	says "after_step of 50% speaks"
	says "after_step of switch speaks"
	exits 0 davit audit --json
	says '"action":"hook.began"'
	says "shop/prod/2/after_step/7"
	says "before-step 50% has done its work."
	exits 0 davit audit --verify

	# What is no rollout of something new calls nobody: a restart, a rollback.
	exits 0 davit restart prod
	exits 0 davit rollback prod --to v1
	is v1 live_tag
	is 4 eval "wc -l <'$T/journal.hooks'"
}

@test "a plan shows where they stand, and a first release has them too" {
	up
	hooked v1 '{ before_step: ./hook }'
	deploy v1
	[ "$status" = 0 ]
	is "before_step switch 0 v1 after nothing shop/prod 1 shop/prod/1/before_step/2" cat "$T/journal.hooks"
	hooked v2 "$BOTH"
	exits 0 davit deploy prod "$T/rel/v2" --as v2 --detach
	wait_for 20 "the end" holds succeeded rollout .state
	is 3 calls before_step
	exits 0 davit why prod --json
	says "before_step: 50%"
}

@test "a before_step that fails takes the release back before it has a share; its words are shown" {
	live
	touch "$T/fail.before_step"
	hooked v2 "$BOTH"
	load_start
	deploy v2
	[ "$status" = 11 ]
	says "before-step 50% failed: It exited with 3"
	says "before_step of 50% speaks"
	load_stop
	load_is_clean
	is v1 live_tag
	is 1 calls before_step
	is 0 calls after_step
	is 0 load '.by_release.v2 // 0'

	# The release may be innocent: the same one goes out when its command works.
	rm "$T/fail.before_step"
	exits 0 davit deploy prod v2
	is v2 live_tag
}

@test "an after_step that fails takes it back as well, with nothing lost" {
	live
	touch "$T/fail.after_step"
	hooked v2 "$BOTH"
	load_start
	deploy v2
	[ "$status" = 11 ]
	says "after-step 50% failed: It exited with 3"
	load_stop
	load_is_clean
	is v1 live_tag
	is 1 calls after_step
	wait_for 10 "v2 to be gone" holds 0 instances_of v2
}

@test "one that takes too long is ended with everything that it started" {
	live
	touch "$T/wait.before_step"
	hooked v2 '{ before_step: ./hook, timeout: 2s }'
	sed -i 's/^echo "$DAVIT_HOOK of/trap "" TERM; &/' "$T/rel/v2/hook"
	deploy v2
	[ "$status" = 11 ]
	says "before-step 50% did not end in its time"
	is v1 live_tag
	wait_for 20 "no process of it to be left" holds 0 processes
}

@test "killed in the middle of a command, the controller finds it running; it runs once" {
	live
	touch "$T/wait.after_step"
	hooked v2 "$BOTH"
	deploy v2 --detach
	wait_for 20 "the command to run" holds 1 calls after_step
	exits 0 davit why prod
	says "It runs after-step 50% of v2"
	kill -9 "$(pids_of controller)"
	wait_for 15 "the controller" holds hook step_op
	is running rollout .state
	rm "$T/wait.after_step"
	wait_for 20 "the end" holds succeeded rollout .state
	is 2 calls before_step
	is 2 calls after_step
	is 4 keys
}

# The order itself may meet the instant before anything of it is committed: then it is given again.
ordered() { holds "$1" rollout .new.tag || davit deploy prod "$T/rel/$1" --as "$1" --detach; }

@test "dead at the instants in which a command begins and ends, the next controller knows: it runs once" {
	export DAVIT_FAILPOINT_FILE=$T/failpoint
	DAVIT=$BUILD/davit-failpoints
	STRATEGY='[switch]'
	live
	n=1
	for instant in control.{before,after}-commit\ {3,4,5} runtime.after-spawn\ 1; do
		echo "$instant" >"$DAVIT_FAILPOINT_FILE"
		tag=v1.$((n += 1))
		hooked "$tag" "$BOTH"
		wait_for 15 "$tag to be on its way" ordered "$tag"
		wait_for 30 "the end of $tag" holds succeeded rollout .state
		[ -e "$DAVIT_FAILPOINT_FILE.taken" ] || echo "$instant" >>"$T/never"
		rm -f "$DAVIT_FAILPOINT_FILE" "$DAVIT_FAILPOINT_FILE.taken"
		grep " $tag after " "$T/journal.hooks" | awk '{ print $1 }' | xargs | sed "s/^/$tag /" >>"$T/seen"
		echo "$tag before_step after_step" >>"$T/expected"
	done
	diff "$T/expected" "$T/seen"
	fails test -s "$T/never"
	is $((2 * (n - 1))) keys
}

@test "with its keeper killed as well it runs again, under the same key" {
	live
	touch "$T/wait.before_step"
	hooked v2 "$BOTH"
	deploy v2 --detach
	wait_for 20 "the command to run" holds 1 calls before_step
	kill -9 "$(pids_of controller)"
	kill -9 "$(orphans | awk '$3 == "keeper" && /before-step/ { print $1 }')"
	rm "$T/wait.before_step"
	wait_for 30 "the end" holds succeeded rollout .state
	is 3 calls before_step
	is 2 calls after_step
	is 4 keys
	wait_for 20 "no process of it to be left" holds 0 processes
}

@test "going back waits for no command: neither an abort nor a rollback" {
	live
	touch "$T/wait.after_step"
	hooked v2 "$BOTH"
	deploy v2 --detach
	wait_for 20 "the command to run" holds 1 calls after_step
	exits 0 davit abort prod
	wait_for 20 "it to be over" holds reverted rollout .state
	is v1 live_tag
	wait_for 20 "no process of it to be left" holds 0 processes
	hooked v3 "$BOTH"
	deploy v3 --detach
	wait_for 20 "the command to run" holds 2 calls after_step
	exits 0 davit rollback prod
	is v1 live_tag
	wait_for 20 "no process of it to be left" holds 0 processes
	is 2 calls after_step
}

# The blocks of a document that begin with <!-- run: NAME -->, with the address that this test has.
block() {
	python3 - "$TOP/docs/how-to/hooks.md" "$1" <<'PYTHON' | sed "s/127\.0\.0\.1:8080/127.0.0.1:$PORT/"
import re, sys
found = re.findall(rf"<!-- run: {sys.argv[2]} -->\n```sh\n(.*?)^```", open(sys.argv[1]).read(), re.M | re.S)
assert len(found) == 1, sys.argv[2]
print(found[0])
PYTHON
}

# run_block NAME: below $T, with davit in the PATH
run_block() {
	local place=$T/notice
	[ -d "$place" ] || place=$T
	mkdir -p "$T/bin"
	ln -sf "$DAVIT" "$T/bin/davit"
	block "$1" >"$T/block.sh"
	exits 0 env -C "$place" PATH="$T/bin:$PATH" bash -e "$T/block.sh"
}

@test "what the document says is what happens" {
	is 3 grep -c '<!-- run:' "$TOP/docs/how-to/hooks.md"
	up
	run_block project
	run_block second
	says "before_step 50% of v2: 0 percent, v1 serves the rest"
	says "after_step switch of v2: 100 percent, v1 serves the rest"
	run_block fails
	says "exit code 11"
	says "before-step 50% failed: It exited with 1"
	is v2 live_tag
}
