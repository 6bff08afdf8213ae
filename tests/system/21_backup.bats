#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Backup beside a running server, restore, and what becomes of instances that the backup does not know.

load lib.bash

setup() {
	kit_setup
	INSTANCES=1
	STRATEGY=$FAST_BLUE_GREEN
	ENVIRONMENT_EXTRA="    analysis: off"
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
}

teardown() { kit_teardown; }

deployed() { exits 0 davit deploy prod "$T/rel/$1" --as "$1"; }

moved_aside() { find "$T"/state/before-restore-*/old/davit.db -size +0 | grep -q .; }

# The server dies; gateway and instances serve on.
leave() {
	kill -TERM "$up_pid"
	wait_for 20 "davit to leave" gone "$up_pid"
	wait "$up_pid" || true
	up_pid=''
}

serve() {
	[ ! -e "$T/up.log" ] || cat "$T/up.log" >>"$T/up.before.log"
	: >"$T/up.log"
	(cd "$T" && exec "$DAVIT" serve --state "$T/state" >"$T/up.log" 2>&1 </dev/null 3>&- 4>&-) &
	up_pid=$!
	wait_for 15 "davit serve to say that it is ready" up_is_ready
}

@test "a backup beside a server under load, and a machine that is set up from it" {
	release v1
	up
	deployed v1
	load_start
	exits 0 davit backup b.tar
	says "the files of 1 releases"
	is 600 stat -c %a "$T/b.tar"
	[ -z "$(ls -A "$T/state/spool")" ]
	load_stop
	load_is_clean
	exits 0 davit audit --json
	says '"action":"backup"'

	# A name that is taken stays as it is; --force replaces it.
	cp "$T/b.tar" "$T/before"
	exits 5 davit backup b.tar
	says "--force"
	cmp "$T/b.tar" "$T/before"
	exits 0 davit backup --force --json "$T/b.tar"
	is 1 jq -r .artifacts <<<"$output"
	is 1 bash -c "ls -A $T | grep -c 'b.tar\|davit-backup'"

	# The server runs: no restore.
	exits 5 davit restore --force b.tar
	says "stop it, then restore"
	down

	# Without a server: the same again.
	exits 0 davit backup cold.tar
	exits 5 davit restore b.tar
	says "--force"
	exits 0 davit --state "$T/other" restore b.tar
	exits 0 davit --state "$T/third" restore --json cold.tar
	is "" jq -r .old <<<"$output"
	DAVIT_STATE=$T/other up
	export DAVIT_STATE=$T/other
	wait_for 20 "v1 to live there" holds v1 answering
	exits 0 davit audit --verify
	down
}

@test "instances of a release that the backup does not know end, and the one that it knows serves, without a lost request" {
	release v1
	release v2
	serve
	deployed v1
	exits 0 davit backup b.tar
	deployed v2
	is v2 live_tag
	load_start
	leave
	exits 0 davit restore --force b.tar
	says "What was there lies in $T/state/before-restore-"
	moved_aside
	is v2 answering
	serve
	wait_for 30 "v1 to serve" holds v1 answering
	is v1 live_tag
	wait_for 30 "v2 to have ended" holds 0 running_from_v2
	is 1 instances_of v1
	load_stop
	load_is_clean
	exits 0 davit audit --verify
	# It is a state like any other: v2 comes again.
	deployed v2
	wait_for 20 "v2 to serve" holds v2 answering
	leave
	up # as a person's server, which ends everything with it
	down
}

running_from_v2() {
	local count=0 dir
	for dir in $(orphans | awk '{ print $1 }'); do
		[ "$(tr '\0' '\n' <"/proc/$dir/environ" 2>/dev/null | sed -n 's/^DAVIT_RELEASE=//p')" != v2 ] || count=$((count + 1))
	done
	echo "$count"
}

@test "what is damaged, hostile or of somebody else changes nothing" {
	release v1
	up
	deployed v1
	exits 0 davit backup b.tar
	down
	before=$(sha256sum "$T/state/davit.db")
	mkdir "$T/m"
	tar -C "$T/m" -xf "$T/b.tar"
	find "$T/m" -type f -printf '%P\n' | sort >"$T/names"
	grep -q manifest.json "$T/names"
	fails grep -v '^manifest.json$\|^davit.db$\|^artifacts/[0-9a-f]\{64\}.tar$\|^ticks.tar$\|^postmortems.tar$' "$T/names"

	head -c 5000 "$T/b.tar" >"$T/cut.tar"
	refused cut.tar 2 "cannot be read"
	echo nothing >"$T/none.tar"
	refused none.tar 2 "cannot be read"
	tar -C "$T/rel" -cf "$T/release.tar" v1
	refused release.tar 2 "no archive of \"davit backup\""

	cp -r "$T/m" "$T/bad"
	artifact=$(cd "$T/bad" && ls artifacts/*.tar)
	printf x | dd of="$T/bad/$artifact" bs=1 seek=700 conv=notrunc 2>/dev/null
	pack bad
	refused bad.tar 1 "is not what was backed up"

	# An audit log that was changed, with a manifest that says it is right.
	rm -rf "$T/bad"
	cp -r "$T/m" "$T/bad"
	sqlite3 "$T/bad/davit.db" "DROP TRIGGER audit_is; UPDATE audit SET who = 'eve' WHERE seq = 1; PRAGMA wal_checkpoint(TRUNCATE)"
	rm -f "$T/bad"/davit.db-*
	manifest bad davit.db
	pack bad
	refused bad.tar 1 "audit"

	# Files of a release that are others than the name says.
	rm -rf "$T/bad"
	cp -r "$T/m" "$T/bad"
	mkdir "$T/evil"
	echo evil >"$T/evil/app"
	tar -C "$T/evil" -cf "$T/bad/$artifact" app
	manifest bad "$artifact"
	pack bad
	refused bad.tar 1 "holds other files than it says"

	# Ways out of the directory.
	tar -C "$T/m" --transform 's|manifest.json|../../manifest.json|' -P -cf "$T/out.tar" manifest.json davit.db
	refused out.tar 2 "manifest.json"
	rm -rf "$T/bad"
	cp -r "$T/m" "$T/bad"
	rm "$T/bad/davit.db"
	ln -s "$T/state/davit.db" "$T/bad/davit.db"
	pack bad
	refused bad.tar 2 "leads out of the archive"

	[ "$before" = "$(sha256sum "$T/state/davit.db")" ]
	[ ! -e "$T/state/restoring" ]
	exits 0 davit restore --force b.tar
}

pack() { tar -C "$T/$1" -cf "$T/$1.tar" .; }

# manifest DIR MEMBER: say that the member is as it is
manifest() {
	jq --arg n "$2" --arg s "$(sha256sum "$T/$1/$2" | cut -d' ' -f1)" --argjson z "$(stat -c %s "$T/$1/$2")" \
		'(.members[] | select(.name == $n)) |= (.sha256 = $s | .size = $z)' "$T/m/manifest.json" >"$T/$1/manifest.json"
}

refused() {
	exits "$2" davit restore --force "$1"
	says "$3"
}

@test "killed at every instant of a restore: the old state or the new one" {
	release v1
	release v2
	up
	deployed v1
	exits 0 davit backup b.tar
	deployed v2
	down
	cp -a "$T/state" "$T/kept"
	for name in $("$BUILD/tests/system/failpoint-names" | grep '^restore\.'); do
		# Of the moves each one.
		for nth in 1 2 3 4 5; do
			[ "$nth" = 1 ] || [ "$name" = restore.between-moves ] || continue
			chmod -R u+w "$T/state"
			rm -rf "$T/state"
			cp -a "$T/kept" "$T/state"
			echo "$name $nth" >"$T/failpoint"
			fails env -C "$T" DAVIT_FAILPOINT_FILE="$T/failpoint" "$BUILD/davit-failpoints" restore --force b.tar
			[ -e "$T/failpoint.taken" ]
			rm -f "$T/failpoint" "$T/failpoint.taken"
			want=v1
			[ "$name" != restore.before-commit ] || want=v2
			up
			wait_for 20 "$want to serve after $name $nth" holds "$want" answering
			exits 0 davit audit --verify
			down
			[ ! -e "$T/state/restored" ] && [ ! -e "$T/state/restoring" ]
			[ "$want" = v2 ] || moved_aside
		done
	done
}

# The commands of one block of the how-to.
page() {
	sed -n "/^<!-- run: $1 -->\$/,/^\`\`\`\$/p" "$TOP/docs/how-to/backup.md" | grep '^davit ' >"$T/block"
	[ -s "$T/block" ]
	expect_run env -C "$T" PATH="$BUILD:$PATH" bash -e "$T/block" </dev/null 3>&-
	[ "$status" = 0 ] || cat "$T/deploy.err"
	[ "$status" = 0 ]
}

@test "the commands of docs/how-to/backup.md" {
	release v1
	up
	deployed v1
	page backup
	down
	page restore
	says "new-state has the store"
	page force
	says "before-restore-"
	is 3 grep -c '<!-- run:' "$TOP/docs/how-to/backup.md"
}
