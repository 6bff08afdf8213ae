#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The gateway alone against raw sockets: tests/conformance.

load lib.bash
setup() { kit_setup; }
teardown() { kit_teardown; }

conforms() { # script
	DAVIT=$DAVIT run python3 "$BATS_TEST_DIRNAME/../conformance/$1.py"
	grep -v '^ok ' <<<"$output"
	[ "$status" -eq 0 ]
}

@test "no request can be smuggled past the gateway" { conforms desync; }
@test "a broken or hostile backend harms nobody but its own client" { conforms hostile; }
@test "slow and greedy clients are cut off while others are served" { conforms slow; }
@test "nobody is believed what only davit may say" { conforms spoof; }
@test "random exchanges in every framing pass unchanged" { conforms transparent; }
