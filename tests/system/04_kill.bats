#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kill -9 of every part of davit, at random points of every strategy, under load: no request is lost but those
# inside a killed worker, no process is orphaned, no state is lost, and every rollout ends as its plan says.
#
# KILLS   random kills a strategy (default 3; the full run takes 20)
# SEED    of the random points; printed, so that a failing run can be repeated

load lib.bash
setup() {
	kit_setup
	KILLS=${KILLS:-3}
	SEED=${SEED:-$RANDOM}
	RANDOM=$SEED
	echo "# SEED=$SEED"
	killed_workers=0
}
teardown() { kit_teardown; }

# Roll out to the other release and kill $1 within the first four seconds of it.
roll_and_kill() {
	local role=$1 tag=v2.0.0
	[ "$(live_tag)" = v1.0.0 ] || tag=v1.0.0
	exits 0 davit deploy prod "$tag" --detach
	sleep "$((RANDOM % 4)).$((RANDOM % 10))" # the random point; nothing is synchronised by it
	kill_one "$role" || return 0
	[ "$role" != gateway-worker ] || killed_workers=$((killed_workers + 1))
	wait_for 15 "the controller to answer" controller_is_back
	ended_on "$tag"
}

kill_through() {
	local roles=(controller gateway-supervisor gateway-worker keeper) i
	serving_under_load "$1"
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	for ((i = 0; i < KILLS; i++)); do
		roll_and_kill "${roles[RANDOM % 4]}"
	done
	load_stop
	cat "$T/kills"
	load_lost_only_killed "$killed_workers"
}

@test "kill -9 at random points of a canary" { kill_through "$FAST_CANARY"; }
@test "kill -9 at random points of blue-green" { kill_through "$FAST_BLUE_GREEN"; }
@test "kill -9 at random points of a rolling update" { INSTANCES=3 kill_through "$FAST_ROLLING"; }
@test "kill -9 at random points of recreate" { kill_through "$FAST_RECREATE"; }
@test "kill -9 at random points of shadow" { kill_through "$FAST_SHADOW"; }
@test "kill -9 at random points of a mix" { kill_through "$FAST_MIX"; }

@test "nothing moves: the controller dies, and no request notices" {
	serving_under_load "$FAST_CANARY"
	for _ in 1 2 3; do
		kill_one controller
		wait_for 15 "the controller to answer" controller_is_back
	done
	is v1.0.0 live_tag
	load_stop
	load_is_clean
	is 2 instances_of v1.0.0
}

@test "nothing moves: the gateway's supervisor dies, and no request notices" {
	serving_under_load "$FAST_CANARY"
	for _ in 1 2 3; do
		old=$(pids_of gateway-supervisor)
		kill_one gateway-supervisor
		wait_for 15 "a new supervisor" new_supervisor "$old"
	done
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	load_stop
	load_is_clean
}

new_supervisor() {
	local now
	now=$(pids_of gateway-supervisor)
	[ -n "$now" ] && [ "$now" != "$1" ]
}

@test "nothing moves: a keeper dies, and no request notices" {
	serving_under_load "$FAST_CANARY"
	pids=$(environment '[.instances[].pid] | sort | @csv')
	kill_one keeper
	wait_for 20 "two ready instances again" holds 2 environment '[.instances[] | select(.state == "ready")] | length'
	load_stop
	load_is_clean
	is "$pids" environment '[.instances[].pid] | sort | @csv'
}

@test "nothing moves: a worker dies; what was in it is lost, and nothing else" {
	serving_under_load "$FAST_CANARY"
	kill_one gateway-worker
	wait_for 15 "two workers or more" test -n "$(pids_of gateway-worker)"
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	load_stop
	load_lost_only_killed 1
}

@test "everything dies at once, and davit up brings it all back" {
	EXTRA='analysis: off' # nobody asks for anything while all is dead
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0 --detach
	for role in up controller gateway-supervisor gateway-worker keeper; do
		for pid in $(pids_of "$role"); do kill -9 "$pid" 2>/dev/null || true; done
	done
	wait "$up_pid" 2>/dev/null || true
	up_pid=''
	up
	load_start # a canary needs users to go on
	ended_on v2.0.0
	load_stop
}
