#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Death at every named instant (base/failpoint.h) of a rollout, under load: no request is lost, no process is
# orphaned, no state is lost, and every rollout ends as its plan says.
#
# SEED    of the times that an instant is passed before; printed, so that a failing run can be repeated

load lib.bash
setup() {
	kit_setup
	SEED=${SEED:-$RANDOM}
	RANDOM=$SEED
	echo "# SEED=$SEED"
}
teardown() { kit_teardown; }

@test "every failpoint: dies there under load, and every rollout ends as planned" {
	export DAVIT_FAILPOINT_FILE=$T/failpoint
	DAVIT=$BUILD/davit-failpoints
	# One step: what dies at the later ones is tried by 04_kill.bats.
	serving_under_load '[{ canary: { steps: [50%], each: { at_least: 1s, at_most: 20s } } }, switch, { bake: 1s }]'
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	n=0
	for name in $("$BUILD/tests/system/failpoint-names"); do
		# By 21_backup.bats, 24_commits.bats, 23_sources.bats, 26_schedule.bats, 33_status.bats, 36_tag_push.bats.
		[[ ! $name =~ ^(restore|history|sources|schedules|host|tag_push)\. ]] || continue
		nth=1
		# A rollout passes these many times; the others once an instance or once an artifact.
		case $name in control.* | gateway.*) nth=$((1 + RANDOM % 3)) ;; esac
		echo "$name $nth" >"$DAVIT_FAILPOINT_FILE"
		# A release of its own, so that artifacts are published and instances are made each time.
		release "v3.0.$((n += 1))"
		tag=v3.0.$n
		davit deploy prod "$T/rel/$tag" --as "$tag" --detach >/dev/null 2>&1 || true
		wait_for 15 "the controller to answer" controller_is_back
		# The command itself may have met the failpoint before anything was committed: then again.
		[ "$(rollout .new.tag)" = "$tag" ] || exits 0 davit deploy prod "$T/rel/$tag" --as "$tag" --detach
		ended_on "$tag"
		[ -e "$DAVIT_FAILPOINT_FILE.taken" ] || echo "$name" >>"$T/never"
		rm -f "$DAVIT_FAILPOINT_FILE" "$DAVIT_FAILPOINT_FILE.taken"
	done
	load_stop
	load_lost_only_killed 0
	[ ! -s "$T/never" ] || {
		echo "nobody ever died at:"
		cat "$T/never"
		return 1
	}
}
