#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Who may deploy, go back, freeze and lift marks: real users of this machine over the server's socket, tokens over the
# network, and what a commit must not leave out of its checks and its analysis.

load lib.bash

# Users and a group that every Debian has: nobody is alice, mail is oliver on call, daemon is dora, whom the group does
# not let in; games is let in, and the server's file does not know him.
SHARED=games

setup() {
	kit_setup
	[ "$(id -u)" = 0 ] || skip "only root becomes other users"
	INSTANCES=1 STRATEGY='[switch]'
	STAGING_PORT=$(free_port)
	API_PORT=$(free_port)
	ENVIRONMENT_EXTRA="    analysis: off
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: test, analysis: off }"
	mkdir "$T/bin"
	cp "$DAVIT" "$T/bin/davit"
	chmod 711 "$T"
	write_server "deploy: [release-managers], rollback: [on-call], clear: [oliver]"
}

teardown() { kit_teardown; }

write_server() {
	cat >"$T/new.yaml" <<-YAML
		socket_group: $SHARED
		api: { listen: "127.0.0.1:$API_PORT" }
		people:
		  alice: ["user:nobody"]
		  oliver: ["user:mail", "token:pager"]
		  dora: ["user:daemon"]
		groups: { release-managers: [alice, dora], on-call: [oliver] }
		protect: { shop/prod: { $1 } }
	YAML
	mv "$T/new.yaml" "$T/server.yaml"
}

serve() {
	up --server "$T/server.yaml"
	wait_for 10 "the socket to be shared" shared
}
shared() { [ "$(stat -c '%G %a' "$T/state/api.sock")" = "$SHARED 660" ]; }
# as USER COMMAND...: davit as a local user, in the group that the socket is shared with
as() {
	local user=$1
	shift
	(cd / && exec setpriv --reuid "$user" --regid nogroup --groups "$SHARED" "$T/bin/davit" "$@" </dev/null 3>&-)
}
outside() {
	(cd / && exec setpriv --reuid "$1" --regid nogroup --clear-groups "$T/bin/davit" "${@:2}" </dev/null 3>&-)
}
# audited WHO ACTION: how often
audited() { davit audit --json | jq "[.entries[] | select(.who == \"$1\" and .action == \"$2\")] | length"; }
two_releases() {
	release v1
	release v2
	chmod -R a+rX "$T/rel"
	touch "$T/journal" && chmod a+rw "$T/journal"
}
status_of() { curl -s -o "$T/answer" -w '%{http_code}' --unix-socket "$T/state/api.sock" -d '{}' "http://d/v1/environments/$1"; }

@test "local users do what the server's file names them for, and whoever runs the server does it in their place" {
	two_releases
	serve
	# What else is in the state directory they can neither list nor read; two directories let commands of other users pass.
	is api.sock bash -c 'find "$1" -mindepth 1 -maxdepth 1 -perm /066 -printf "%f\n"' - "$T/state"
	is "$SHARED 710" stat -c '%G %a' "$T/state"

	exits 0 as nobody deploy shop/prod "$T/rel/v1" --as v1
	is nobody bash -c 'jq -r "[.entries[] | select(.action == \"deploy\")][0].who" <<<"$1"' - "$(davit audit --json)"
	exits 4 as mail deploy prod "$T/rel/v2" --as v2
	says "may not bring a release of shop"
	exits 0 as nobody deploy prod "$T/rel/v2" --as v2
	is v2 live_tag
	exits 4 as mail deploy prod v1
	says "mail may not deploy to shop/prod: in the server's own file that is for release-managers; ask one of them"
	is 1 audited mail refused
	for verb in restart pause maintenance; do exits 4 as mail "$verb" prod; done
	# Who may go back may that, and mark what was bad; the mark is another's to lift.
	page_has 1 docs/how-to/roles.md
	page_block docs/how-to/roles.md told >"$T/told.sh"
	exits 0 env -C / PATH="$T/bin:$PATH" setpriv --reuid mail --regid nogroup --groups "$SHARED" bash -e - <"$T/told.sh"
	says "may deploy    release-managers"
	is v1 live_tag
	exits 0 as mail releases mark-bad prod v2 -m "loses orders"
	exits 4 as nobody releases clear prod v2
	says "nobody may not lift the mark of a bad release in shop/prod: in the server's own file that is for oliver"
	exits 4 as nobody deploy prod v2 --allow-bad
	says "oliver"
	exits 4 as nobody rollback prod --to v2
	is v1 live_tag
	exits 0 as mail releases clear prod v2
	# `freeze` is not written: as `deploy`.
	exits 4 as mail freeze prod
	exits 0 as nobody freeze prod -m holidays
	exits 0 as nobody unfreeze prod

	# Who is let in and whom nobody knows looks, and does nothing.
	exits 0 as games status
	says v1
	exits 4 as games rollback prod
	says "games may not go back in shop/prod"
	exits 4 as games token list
	says "no role of the server's own file gives it to games"
	exits 4 as nobody exec prod -- id
	# Over ssh it is whom ssh logs in: here one that logs in anybody.
	mkdir "$T/ssh"
	printf '#!/bin/sh\nfor last; do :; done\ncd / && exec setpriv --reuid games --regid nogroup --groups %s env PATH=%s:/usr/bin:/bin sh -c "$last"\n' \
		"$SHARED" "$T/bin" >"$T/ssh/ssh"
	chmod 755 "$T/ssh/ssh"
	exits 0 env -u DAVIT_STATE PATH="$T/ssh:$PATH" "$DAVIT" --host "ssh://vm$T/state" status
	says v1
	exits 4 env -u DAVIT_STATE PATH="$T/ssh:$PATH" "$DAVIT" --host "ssh://vm$T/state" rollback prod
	says "games may not go back in shop/prod"
	# Who is named and not let in, too.
	exits 4 outside daemon status
	says "socket_group"

	# The emergency: it goes, and stands in the log.
	is 0 audited root override
	exits 0 davit deploy prod v2
	is 1 audited root override
	exits 0 davit status prod
	says "may deploy    release-managers"
	says "may rollback  on-call, release-managers"
	is '["oliver"]' bash -c 'jq -c ".applications[0].environments[0].may.clear" <<<"$1"' - "$(davit status prod --json)"
	exits 0 davit audit --verify
}

@test "a token needs its scope and to be named; the file is read again, and nobody comes in without a group" {
	two_releases
	serve
	exits 0 as nobody deploy shop/prod "$T/rel/v1" --as v1
	exits 0 davit deploy prod "$T/rel/v2" --as v2
	for name in pager ci; do davit token create "$name" --scope deploy,rollback,release >"$T/$name.token"; done
	davit token create reader --scope read >"$T/reader.token"
	web() { env DAVIT_TOKEN_FILE="$T/$1.token" DAVIT_HOST="http://127.0.0.1:$API_PORT" "$DAVIT" "${@:2}" </dev/null 3>&-; }
	unset DAVIT_STATE
	chmod 600 "$T"/*.token
	exits 0 web pager rollback prod
	exits 4 web pager deploy prod v2
	says "token:pager may not deploy to shop/prod"
	exits 4 web ci rollback prod
	says "token:ci may not go back in shop/prod"
	exits 4 web reader rollback prod
	says "needs one of deploy,rollback"
	# Elsewhere the scope is enough, as before.
	exits 0 web ci deploy shop/staging "$T/rel/v1" --as v1
	export DAVIT_STATE=$T/state
	is 1 audited token:ci refused
	# Of local users nobody is, there.
	exits 4 as nobody deploy shop/staging "$T/rel/v1" --as v1
	says "names nobody for that"
	write_server "deploy: [oliver]"
	exits 4 as nobody restart prod
	exits 0 as mail restart prod
	sed -i '/^socket_group/d' "$T/server.yaml"
	wait_for 10 "the socket to be closed" holds "600" stat -c %a "$T/state/api.sock"
	exits 4 as mail status
	is 700 stat -c %a "$T/state"
	# And as it was before there were roles.
	exits 0 davit restart prod
	is 202 status_of prod/restart
}

@test "local users answer where the file names them; a commit that leaves out the server's checks or analysis stays where it is" {
	ENVIRONMENT_EXTRA="    analysis: off
    approve: { by: [on-call], not_author: false }"
	two_releases
	serve
	exits 0 as nobody deploy shop/prod "$T/rel/v1" --as v1 --detach
	wait_for 10 "the question" holds gated rollout .state
	exits 4 as games approve prod --yes
	says "games may not answer for shop/prod"
	exits 4 as nobody approve prod --yes
	says "members of on-call"
	exits 0 as mail approve prod --yes
	exits 0 davit watch prod
	is v1 live_tag

	write_server "verify: [smoke, \"kind:run\"], analysis: [errors, latency]"
	exits 4 davit deploy prod "$T/rel/v2" --as v2 --detach
	says "v2 leaves out what the server's own file asks of shop/prod: the check smoke (verify), a check of kind:run (verify), errors (analysis), latency (analysis); add it to davit.yaml"
	ENVIRONMENT_EXTRA="    verify: [smoke, script]"
	EXTRA="checks: { smoke: [{ get: /up }], script: { run: 'true' } }"
	release v3
	exits 0 davit deploy prod "$T/rel/v3" --as v3
	is v3 live_tag
}
