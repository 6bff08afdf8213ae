#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the gateway does to requests and answers by rule: header fields, and whom an environment lets in.

load lib.bash

setup() {
	kit_setup
	INSTANCES=1 STRATEGY=$FAST_BLUE_GREEN
	ENVIRONMENT_EXTRA="    analysis: off
    requests: { headers: { response: { set: { X-Frame-Options: DENY }, remove: [X-Instance] } }, maintenance: { page: public/off.html } }"
}

# page TAG BYTES: the page of a release, so large
page() {
	mkdir -p "$T/rel/$1/public"
	python3 -c 'import sys; print("<title>Tag " + sys.argv[1] + "</title>" + "x" * (int(sys.argv[2]) - 25), end="")' "$1" "$2" >"$T/rel/$1/public/off.html"
}
teardown() { kit_teardown; }

site() { curl -s -o "$T/body" -D "$T/head" -w '%{http_code}' "$@" "http://127.0.0.1:$PORT/item/1"; }
answers() { [ "$(site "${@:2}")" = "$1" ]; }

@test "header rules reach users, read-only and maintenance outlive controller and gateway, and rollouts go on" {
	up
	release v1.0.0
	exits 2 davit deploy prod "$T/rel/v1.0.0" --as v1.0.0
	says 'The maintenance page "public/off.html" is no file of the release'
	page v1.0.0 100
	deploy v1.0.0
	is 200 site
	grep -qi '^x-frame-options: DENY' "$T/head"
	run grep -i '^x-instance:' "$T/head"
	[ "$status" = 1 ]

	exits 0 davit maintenance prod --read-only -m "moving the database"
	says "503 to whatever may change something"
	is read-only environment .state
	is 200 site
	is 503 site -X POST -d x
	grep -qi '^retry-after: 30' "$T/head"
	grep -qi '^x-davit-error: read-only' "$T/head"
	exits 0 davit status prod
	says "read-only"
	release v2.0.0
	page v2.0.0 65537
	exits 2 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	says "has 65537 bytes, and may have 65536"
	page v2.0.0 65536
	deploy v2.0.0
	is 200 site
	is 503 site -X POST -d x

	exits 0 davit maintenance prod -m "moving the disks"
	wait_for 5 "the page" answers 503 -H 'Accept: text/html'
	cmp "$T/body" "$T/rel/v2.0.0/public/off.html"
	is 503 site --http2-prior-knowledge -H 'Accept: text/html'
	cmp "$T/body" "$T/rel/v2.0.0/public/off.html"
	is 503 site -I -H 'Accept: text/html'
	grep -qi '^content-length: 65536' "$T/head"
	is 503 site
	grep -qx 'This site is under maintenance.' "$T/body"
	kill_one controller
	kill_one gateway-supervisor
	kill_one gateway-worker
	wait_for 20 "the page after both died" answers 503 -H 'Accept: text/html'
	cmp "$T/body" "$T/rel/v2.0.0/public/off.html"
	wait_for 20 "the state after both died" holds maintenance environment .state
		exits 0 davit maintenance prod --off
	wait_for 5 "the site again" answers 200
	is serving environment .state
	exits 0 davit audit -n 20 --json
	says maintenance.read-only
	says "moving the database"

	page_block docs/how-to/requests.md maintenance >"$T/page.sh"
	page_has 1 docs/how-to/requests.md
	exits 0 eval "$(cat "$T/page.sh")"
	wait_for 5 "the site at the end" answers 200
}
