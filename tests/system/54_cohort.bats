#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whom a new release meets whatever its share: a cohort by header, cookie and network, and whoever has a token of
# davit preview, by two real releases.
load lib.bash

# The releases that answer 20 requests.
met() {
	curl -s --max-time 20 -o /dev/null -D - "$@" "http://127.0.0.1:$PORT/item/[1-20]" | tr -d '\r' |
		awk -F': ' 'tolower($1) == "x-release" { print $2 }' | sort -u | xargs
}

# Like a browser: what the link says, and which release answers where it leads to with the cookie that it set.
opened() {
	rm -f "$T/jar"
	curl -s -L -c "$T/jar" -b "$T/jar" -o /dev/null -D - "$@" | tr -d '\r' |
		awk '/^HTTP/ && !status { status = $2 } tolower($1) == "x-release:" { release = $2 } END { print status (release ? " " release : "") }'
}

share_is() { holds "$1" environment .candidate.weight_bp; }

setup() {
	kit_setup
	# By itself no step ends in time.
	STRATEGY='[{ canary: { steps: [1%, 90%], each: { at_least: 10m, at_most: 1h } } }, switch, { bake: 10m }]'
	up
	release v1.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
}

teardown() { kit_teardown; }

begin() {
	ENVIRONMENT_EXTRA="    cohort: { members: [{ header: X-Beta, is: [yes, '1'] }, { cookie: plan, is: beta }, { network: 127.0.0.2/31 }], only: $1 }"
	release v2.0.0
	davit deploy prod "$T/rel/v2.0.0" --as v2.0.0 --detach >/dev/null
	wait_for 20 "the first share" share_is 100
	wait_for 10 "the gateway to have it" holds v2.0.0 met -H 'X-Beta: yes'
}

@test "members meet the new release at 1%, others only with the switch" {
	begin true
	is v2.0.0 met -H 'x-beta: 1'
	is v2.0.0 met -b 'a=b; plan=beta'
	is v2.0.0 met --interface 127.0.0.3
	is v1.0.0 met
	is v1.0.0 met -H 'X-Beta: no' -b plan=betas --interface 127.0.0.4
	davit promote prod >/dev/null
	wait_for 20 "the second share" share_is 9000
	is v1.0.0 met
	is v2.0.0 met -b plan=beta
	# Nobody was drawn: nothing is wrong with how they are divided, and members are counted.
	is true rollout '.judge.division.off != true'
	is true environment '.traffic.requests > 0'
	davit promote prod >/dev/null
	wait_for 20 "the switch" share_is 9900
	wait_for 10 "others to meet it" holds v2.0.0 met -H 'X-Beta: no'
}

@test "without only others are divided by the share; after an abort members are served as everybody" {
	begin false
	davit promote prod >/dev/null
	wait_for 20 "the second share" share_is 9000
	wait_for 10 "others to be divided" holds 'v1.0.0 v2.0.0' met
	is v2.0.0 met -H 'X-Beta: 1'
	davit abort prod -m enough >/dev/null
	wait_for 20 "the way back" holds reverted rollout .state
	is v1.0.0 met -H 'X-Beta: 1'
}

@test "a token opens the new release until it ends, and is nobody else's business" {
	local token short link
	exits 5 davit preview prod
	says "Nothing in shop/prod can be seen"
	begin false
	page_has 1 docs/how-to/preview.md
	eval "$(page_block docs/how-to/preview.md token | sed "s/localhost:8080/localhost:$PORT/")" >"$T/shown"
	[ -s "$T/shown" ]
	[[ $token =~ ^[0-9]+\.[0-9a-f]{32}$ ]]
	link=$(davit preview prod --json | jq -r .link)
	[[ $link == "http://127.0.0.1:$PORT/.well-known/davit/preview?token="* ]]
	exits 0 davit preview prod
	says "/.well-known/davit/preview?token=$output"
	is '303 v2.0.0' opened "$link&to=/item/1"
	is "303 http://127.0.0.1:$PORT/item/1" curl -s -o /dev/null -w '%{http_code} %{redirect_url}' --http2-prior-knowledge "$link&to=/item/1"
	is '403' opened "${link%?}"
	is '400' opened "$link&to=//127.0.0.1:1/"
	is v2.0.0 met -H "X-Davit-Preview: $token"
	is v2.0.0 met -b "a=b; davit-preview=$token"
	# At 1% a forged one meets the live release, but for 1 request in 100.
	fails holds v2.0.0 met -H "X-Davit-Preview: ${token%?}"
	fails holds v2.0.0 met -b "davit-preview=9${token}"
	exits 0 davit preview prod --for 1s --json
	short=$(jq -r .token <<<"$output")
	is true jq -r '.tag == "v2.0.0" and .environment == "shop/prod" and .url == "http://127.0.0.1:'"$PORT"'/" and (.release | length) == 64' <<<"$output"
	wait_for 5 "it to end" holds v1.0.0 met -H "X-Davit-Preview: $short"
	# Who was given one is known; the token is not kept.
	davit audit | grep -q 'preview.*v2.0.0, until'
	davit abort prod -m enough >/dev/null
	wait_for 20 "the way back" holds reverted rollout .state
	is v1.0.0 met -H "X-Davit-Preview: $token"
	exits 5 davit preview prod
	down
	fails grep -raF -e "${token#*.}" "$T/state"
}
