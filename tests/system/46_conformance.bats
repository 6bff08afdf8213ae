#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The gateway alone against other people's programs, and tables of what HTTP/1 says: tests/conformance. What is not
# installed is skipped, with its name; tools/deps.sh installs all but node. docs/TESTING.md says what each covers.

load lib.bash
setup() { kit_setup; }
teardown() { kit_teardown; }

# conforms SCRIPT [ARGUMENT...]: by Debian's python, which has Debian's modules
conforms() {
	local script=$1
	shift
	DAVIT=$DAVIT run timeout 120 /usr/bin/python3 -W ignore "$BATS_TEST_DIRNAME/../conformance/$script.py" "$@"
	[ "$status" -ne 77 ] || skip "${output##*skipped: }"
	grep -av '^ok ' <<<"$output"
	[ "$status" -eq 0 ]
}

@test "each request and answer of the tables is taken or refused as its line says, to the byte" { conforms table; }
@test "HTTP/2: what reaches the application of a request, what is refused, frames out of place, floods" { conforms http2; }
@test "HTTP/2: who means no good costs no worker, and no other stream its answer" { conforms http2_hostile; }
@test "HTTP/2 to backends: what passes, what goes wrong there, nghttpd, gRPC by its own library" { conforms http2_behind; }
@test "many at once: held requests, WebSockets through a drain, weights that change under strict load" { conforms many held=300 sockets=60 weights=30 tls=20; }
@test "davit takes nothing that two of HAProxy, nginx, node and h11 refuse" { conforms peers; }

@test "slowhttptest, testssl and WebSockets of others: slow clients are cut, TLS is sound, frames pass" { conforms programs; }
@test "varnishtest files: 80 behaviours of HTTP/1 and 70 of HTTP/2, each with its line" {
	local files=("$BATS_TEST_DIRNAME"/../conformance/vtc/*.vtc)
	command -v varnishtest >/dev/null || skip "varnishtest is not installed"
	DAVIT=$(realpath "$DAVIT") TMPDIR=$T run timeout 120 varnishtest -k -j 2 -t 60 "${files[@]}"
	grep -aE '^----|FAILED' <<<"$output" || true
	[ "$status" -eq 0 ]
	[ "$(cat "${files[@]}" | grep -cE '^	+# - ')" -ge 150 ]
}
