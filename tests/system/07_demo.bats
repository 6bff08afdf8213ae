#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The demo ends well, in time, and leaves nothing.

load lib.bash
setup() { kit_setup; }
teardown() { kit_teardown; }

@test "the demo shows a release that is caught, and its counts agree" {
	began=$SECONDS
	status=0
	env -u DAVIT_STATE DEMO=auto "$BATS_TEST_DIRNAME/../../tools/demo" >"$T/demo.out" 2>&1 </dev/null 3>&- || status=$?
	[ "$status" = 0 ] || cat "$T/demo.out"
	[ "$status" = 0 ]
	[ $((SECONDS - began)) -lt 90 ]
	grep -qE '^failed because of davit +0$' "$T/demo.out"
	grep -q "exit code 11" "$T/demo.out"
	grep -q "^v0.0.2 *v0.0.2 is live in shop/prod$" "$T/demo.out"
	# What should not get so far did not.
	grep -q "failed     build 4" "$T/demo.out"
	grep -q "The worst: Flawfinder/FF1001 at name.c:3" "$T/demo.out"
	[ -z "$(find /tmp -maxdepth 1 -name 'davit-demo.*' -newer "$T")" ]
}

@test "a demo that is interrupted leaves nothing" {
	env -u DAVIT_STATE DEMO=auto "$BATS_TEST_DIRNAME/../../tools/demo" >"$T/demo.out" 2>&1 </dev/null 3>&- &
	demo=$!
	wait_for 30 "the users to come" grep -q "Users come" "$T/demo.out"
	kill -TERM "$demo"
	wait_for 40 "the demo to end" gone "$demo"
	[ -z "$(find /tmp -maxdepth 1 -name 'davit-demo.*' -newer "$T")" ]
}
