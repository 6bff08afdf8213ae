#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Secrets: written once, given to the instances that are named, and found nowhere else.

load lib.bash

CANARY=canary-4f1d-postgres://shop:hunter2@db
OTHER=canary-77c0-correct-horse

setup() {
	kit_setup
	INSTANCES=1
	STRATEGY=$FAST_BLUE_GREEN
	SERVICE_EXTRA='  secrets: { KEY: { from: davit:key, as: file, version: pinned } }'
	ENVIRONMENT_EXTRA='    analysis: off
    secrets: { DATABASE_URL: davit:prod/db }'
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
}

teardown() { kit_teardown; }

# secretive TAG: a release whose program writes down what it was given, and where
secretive() {
	release "$1"
	mv "$T/rel/$1/app" "$T/rel/$1/real"
	cat >"$T/rel/$1/app" <<SH
#!/bin/sh
echo "$1 \$DATABASE_URL \$(cat "\$KEY")" >>"$T/given"
echo "\$KEY" >"$T/place"
echo "speaks of \$DATABASE_URL and of \$(printf %s "\$DATABASE_URL" | base64 -w 0)"
exec ./real
SH
	chmod +x "$T/rel/$1/app"
}

# give NAME VALUE [VERB]
give() { printf %s "$2" | (cd "$T" && "$DAVIT" secrets "${3:-set}" "$1" --app shop 3>&-); }
given() { tail -n 1 "$T/given"; }
memory() { find /run /dev/shm -maxdepth 1 -name "davit-$(id -u)-*-$(printf %x "$(stat -c %i "$T/state")")" 2>/dev/null; }
keeper_of_v1() { pgrep -f "keeper --dir $T/state/instances"; }

# Not a byte of it in the state directory, nor in any command line.
nowhere() {
	fails grep -srlaF "$1" "$T/state"
	fails grep -srlaF "$(printf %s "$1" | base64 -w 0 | cut -c1-40)" "$T/state"
	fails grep -slaF "$1" /proc/[0-9]*/cmdline
}

@test "what is set is given to who is named, and is nowhere else" {
	up
	secretive v1
	exits 0 give prod/db "$CANARY"
	says "version 1"
	exits 0 give key "$OTHER"
	exits 0 give dev/db canary-for-dev
	deploy v1
	[ "$status" = 0 ]
	is "v1 $CANARY $OTHER" given
	# Whose it is need not be said where the server has one application.
	exits 0 bash -c 'cd "$1" && printf secret | "$2" secrets set other 3>&-' _ "$T" "$DAVIT"
	says "other of shop"
	# In memory, for its user alone; and gone from there with the instance.
	is 400 stat -c %a "$(cat "$T/place")"
	is tmpfs stat -f -c %T "$(cat "$T/place")"
	is "$(readlink -f "$T"/state/instances/*/secrets)/KEY" cat "$T/place"
	nowhere "$CANARY"
	nowhere "$OTHER"
	fails grep -slaF canary-for-dev /proc/[0-9]*/environ
	exits 0 davit logs prod
	says 'speaks of *** and of ***'
	# Who did what is written down, what it was is not.
	exits 0 davit audit
	says "prod/db, version 1"
	fails grep -q canary <<<"$output"
	exits 0 davit secrets list --json
	is pinned jq -r '.secrets[] | select(.name == "key") | .used[0].version' <<<"$output"
	is latest jq -r '.secrets[] | select(.name == "prod/db") | .used[0].version' <<<"$output"
	is 0 jq '.secrets[] | select(.name == "dev/db") | .used | length' <<<"$output"
	fails grep -q canary <<<"$output"
	# A command beside the release gets what the release gets.
	# shellcheck disable=SC2016
	exits 0 davit exec prod -- sh -c 'echo "$DATABASE_URL $(cat "$KEY")"'
	is "$CANARY $OTHER" echo "$output"
	place=$(memory)
	[ -d "$place" ]
	down
	[ ! -e "$place" ]
}

@test "a new value starts what uses it anew, and no request fails; what is pinned stays, also on the way back" {
	up
	secretive v1
	secretive v2
	exits 0 give prod/db one-1
	exits 0 give key key-1
	deploy v1
	[ "$status" = 0 ]
	load_start
	exits 0 give prod/db two-2 rotate
	says "shop/prod is restarted with it: rollout 2"
	exits 0 davit watch prod
	is "v1 two-2 key-1" given
	load_stop
	load_is_clean
	exits 0 give key key-2 rotate
	says "shop/prod is not restarted: its release keeps the version"
	deploy v2
	[ "$status" = 0 ]
	is "v2 two-2 key-2" given
	exits 0 give prod/db three-3
	# Begun anew, the old release has its own key and the newest password.
	exits 0 davit rollback prod --to v1
	exits 0 davit restart prod
	is "v1 three-3 key-1" given
	exits 0 davit audit --verify
}

@test "keeper, controller, and the machine's memory are lost: the values are there again" {
	local before
	up
	secretive v1
	exits 0 give prod/db "$CANARY"
	exits 0 give key "$OTHER"
	deploy v1
	[ "$status" = 0 ]
	# The program serves on under a new keeper, which masks as the one before did.
	before=$(wc -l <"$T/given")
	kill -9 "$(keeper_of_v1)"
	wait_for 20 "another keeper" keeper_of_v1
	wait_for 20 "an answer" holds v1 answering
	is "$before" wc -l <"$T/given"
	# Everything at once, and what was in memory with it: as after the power was cut.
	place=$(memory)
	kill -9 "$up_pid"
	pkill -9 -f "$T/state" || true
	orphans | while read -r pid _; do kill -9 "$pid" 2>/dev/null || true; done
	rm -rf "$place"
	wait_for 20 "all of it to be gone" holds '' orphans
	up
	wait_for 30 "an answer" holds v1 answering
	is "v1 $CANARY $OTHER" given
	is $((before + 1)) wc -l <"$T/given"
	nowhere "$CANARY"
}

@test "what is missing, misnamed or open to others is refused in one sentence" {
	up
	secretive v1
	exits 3 davit deploy prod "$T/rel/v1" --as v1
	says 'There is no secret "prod/db" of shop; write it with: davit secrets set prod/db --app shop'
	exits 2 give Prod/db x
	exits 2 give prod/db ''
	says "Nothing came from standard input"
	exits 2 davit secrets set
	says "davit secrets takes"
	exits 3 davit secrets remove nothing --app shop
	exits 0 give key k-long-enough
	exits 0 give prod/db d-long-enough
	key=$T/state/secrets.key
	is 600 stat -c %a "$key"
	chmod 644 "$key"
	exits 4 davit deploy prod v1
	says "chmod 600 $key"
	chmod 600 "$key"
	cp "$key" "$T/copy"
	head -c 32 /dev/zero | od -An -tx1 -v | tr -d ' \n' >"$key"
	exits 4 give prod/db again
	says "not the one that they were sealed with"
	rm "$key"
	exits 3 give prod/db again
	says "put the copy of it back"
	[ ! -e "$key" ]
	cp "$T/copy" "$key"
	deploy v1
	[ "$status" = 0 ]
	# A backup has the sealed values, and not what opens them.
	exits 0 davit backup "$T/backup"
	mkdir "$T/unpacked"
	tar -C "$T/unpacked" -xf "$T/backup"
	fails grep -rqaF "$(cut -c1-16 "$key")" "$T/unpacked"
	exits 0 davit secrets remove key --app shop
	exits 0 davit secrets list
	fails grep -q "shop key" <<<"$output"
}

@test "a server that says where its key is; a user of its own; a migration" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	chmod 755 "$T"
	mkdir -m 755 "$T/etc"
	echo "secrets: { key: $T/etc/key }" >"$T/etc/server.yaml"
	SERVICE_EXTRA="$SERVICE_EXTRA
  user: nobody"
	EXTRA='migrate: { before: { sh: "test \"$DATABASE_URL\" = '"$CANARY"' && cat \"$KEY\" >/dev/null" } }'
	up --server "$T/etc/server.yaml"
	: >"$T/given" && : >"$T/place" && : >"$T/journal" && chmod 666 "$T/given" "$T/place" "$T/journal"
	secretive v1
	exits 0 give prod/db "$CANARY"
	exits 0 give key "$OTHER"
	[ -s "$T/etc/key" ] && [ ! -e "$T/state/secrets.key" ]
	deploy v1
	[ "$status" = 0 ]
	is "v1 $CANARY $OTHER" given
	is "nobody 400" stat -c '%U %a' "$(cat "$T/place")"
}

@test "what docs/how-to/secrets.md tells people to type does what it says" {
	local page=docs/how-to/secrets.md name
	for name in project set rotate; do
		python3 - "$TOP/$page" "$name" <<-'PY' | sed "s/8080/$PORT/" >"$T/block.$name"
			import re, sys
			found = re.findall(rf"<!-- run: {sys.argv[2]} -->\n```sh\n(.*?)^```", open(sys.argv[1]).read(), re.M | re.S)
			print(found[0], end="") if len(found) == 1 else sys.exit("not one block")
		PY
	done
	is 3 grep -c '<!-- run:' "$TOP/$page"
	run_block() { (cd "$1" && exec env PATH="$BUILD:$PATH" bash -e "$T/block.$2") >"$T/said.$2" 2>&1 </dev/null 3>&- || { cat "$T/said.$2"; false; }; }
	up
	run_block "$T" project
	run_block "$T/greet" set
	grep -q '^31 32$' "$T/said.set"
	run_block "$T/greet" rotate
	grep -q 'greet/prod is restarted with it' "$T/said.rotate"
	is "37 32" curl -s "http://127.0.0.1:$PORT/"
}
