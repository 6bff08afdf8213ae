#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# From nothing to a release that serves, and back to nothing.

load lib.bash
setup() { kit_setup; }
teardown() { kit_teardown; }

@test "an empty server says it is ready, shows nothing, and stops without a trace" {
	up
	exits 0 davit status --json
	is 0 jq -r '[.applications[].environments[]] | length' <<<"$output"
	down
}

@test "the first release serves, and status says what, where and by whom" {
	up
	release v1.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	is v1.0.0 answering
	is v1.0.0 live_tag
	is serving environment .state
	is "127.0.0.1:$PORT" environment .listen
	is "$(id -un)" environment .live.by
	is 2 instances_of v1.0.0
	is true environment '[.instances[].state] | all(. == "ready")'
	is true environment '[.instances[].pid] | all(. > 1)'
}

@test "an instance knows its port, release, environment, process and its own name" {
	up
	release v1.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	pid=$(environment .instances[0].pid)
	tr '\0' '\n' <"/proc/$pid/environ" >"$T/environ"
	grep -q '^PORT=[0-9]*$' "$T/environ"
	grep -qx 'DAVIT_RELEASE=v1.0.0' "$T/environ"
	grep -qx 'DAVIT_ENVIRONMENT=prod' "$T/environ"
	grep -qx 'DAVIT_PROCESS=web' "$T/environ"
	grep -q '^DAVIT_INSTANCE=.' "$T/environ"
}

@test "after a stop and a start the same release serves again, without a deployment" {
	up
	release v1.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	down
	wait_for 5 "the port to be free" test -z "$(answering)"
	up
	wait_for 20 "the release to serve again" holds v1.0.0 answering
	is v1.0.0 live_tag
}

@test "a second server on the same state is refused with one sentence, and the first serves on" {
	up
	release v1.0.0
	deploy v1.0.0
	exits 5 davit up
	says "$T/state"
	is v1.0.0 answering
}

@test "a first release that cannot start serves nobody and leaves nothing" {
	up
	release v1.0.0 crash_at_start=1
	deploy v1.0.0
	[ "$status" != 0 ]
	says "flux capacitor"
	wait_for 10 "its instances to be gone" holds 0 instances_of v1.0.0
}

@test "the same content twice is the same release" {
	up
	release v1.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	davit deploy prod "$T/rel/v1.0.0" >/dev/null 2>&1 || true
	is 1 jq -s 'length' <<<"$(davit releases --json | jq -c '.releases[]?')"
}

@test "an archive deploys as a directory does, and both are one artifact" {
	up
	release v1.0.0
	tar -C "$T/rel/v1.0.0" -czf "$T/v1.tar.gz" .
	exits 0 davit deploy prod "$T/v1.tar.gz" --as v1.0.0
	is v1.0.0 answering
}
