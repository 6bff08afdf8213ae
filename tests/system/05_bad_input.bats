#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Wrong input: one clear sentence, what to do next, and nothing changed.

load lib.bash
setup() { kit_setup; }
teardown() {
	local failed=0
	rm -f "$T/state/filler"
	kit_teardown || failed=$?
	if mountpoint -q "$T/state"; then
		umount -l "$T/state"
		rm -rf "$T"
	fi
	return "$failed"
}

serving_v1() {
	up
	release v1.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
}

# Nothing moved: v1 serves, alone.
unchanged() {
	is v1.0.0 live_tag
	is v1.0.0 answering
	is null environment .rollout
	is 1 jq -r '.releases | length' <<<"$(davit releases --json)"
}

@test "an unknown key: file, line, column and what was meant" {
	serving_v1
	release v2.0.0
	sed -i 's/  instances:/  instnaces:/' "$T/rel/v2.0.0/davit.yaml"
	exits 2 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	says "davit.yaml:4:3"
	says "instances"
	unchanged
	exits 2 davit validate "$T/rel/v2.0.0/davit.yaml"
	says "davit.yaml:4:3"
}

@test "a key that is not built yet is refused, not ignored" {
	serving_v1
	EXTRA='notify: []'
	release v2.0.0
	exits 2 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	says "notify"
	unchanged
}

@test "no davit.yaml at all" {
	serving_v1
	mkdir "$T/rel/empty"
	expect_run davit deploy prod "$T/rel/empty"
	[ "$status" = 2 ] || [ "$status" = 3 ]
	says "davit.yaml"
	unchanged
}

@test "a path that does not exist" {
	serving_v1
	exits 3 davit deploy prod "$T/rel/nowhere"
	says "nowhere"
	unchanged
}

@test "a broken archive" {
	serving_v1
	head -c 20000 /dev/urandom >"$T/broken.tar.gz"
	exits 2 davit deploy prod "$T/broken.tar.gz" --as v2.0.0
	says "broken.tar.gz"
	unchanged
}

@test "an archive that climbs out" {
	serving_v1
	python3 - "$T" <<'PYTHON'
import io, sys, tarfile
with tarfile.open(sys.argv[1] + "/evil.tar", "w") as tar:
    tar.add(sys.argv[1] + "/rel/v1.0.0", ".")
    info = tarfile.TarInfo("../../evil")
    info.size = 4
    tar.addfile(info, io.BytesIO(b"evil"))
PYTHON
	exits 2 davit deploy prod "$T/evil.tar" --as v2.0.0
	says "../../evil"
	unchanged
	[ -z "$(find / -xdev -name evil -newer "$T/evil.tar" 2>/dev/null | head -n 1)" ]
}

@test "a program that is not in the release" {
	serving_v1
	release v2.0.0
	rm "$T/rel/v2.0.0/app"
	deploy v2.0.0
	[ "$status" = 2 ] || [ "$status" = 11 ]
	says "app"
	is v1.0.0 answering
	is v1.0.0 live_tag
}

@test "an environment that nobody defined" {
	serving_v1
	exits 3 davit deploy produ "$T/rel/v1.0.0"
	says "prod"
	exits 3 davit rollback produ
	exits 3 davit status produ
	unchanged
}

@test "a release that nobody made" {
	serving_v1
	exits 3 davit deploy prod v9.9.9
	says "v9.9.9"
	unchanged
}

@test "nothing to roll back to" {
	serving_v1
	expect_run davit rollback prod
	[ "$status" = 3 ] || [ "$status" = 5 ]
	says "davit"
	unchanged
}

@test "a listen address that another program holds" {
	python3 -m http.server --bind 127.0.0.1 "$PORT" >/dev/null 2>&1 3>&- &
	chaos_pids+=($!)
	wait_for 5 "the other server" curl -sf "http://127.0.0.1:$PORT/"
	up
	release v1.0.0
	deploy v1.0.0 --timeout 20s
	[ "$status" != 0 ]
	says "127.0.0.1:$PORT"
	curl -sf "http://127.0.0.1:$PORT/" >/dev/null
}

@test "a state directory that cannot be written" {
	[ "$(id -u)" != 0 ] || skip "root may write everywhere"
	mkdir "$T/state"
	chmod 0555 "$T/state"
	exits 4 davit up
	says "$T/state"
}

@test "a state directory that is a file" {
	: >"$T/state"
	expect_run davit up
	[ "$status" != 0 ]
	says "$T/state"
	[ ! -s "$T/state" ]
}

@test "a store of a newer davit is left alone" {
	up
	down
	sqlite3 "$T/state/davit.db" 'PRAGMA user_version = 999'
	sha256sum "$T/state/davit.db" >"$T/before"
	expect_run davit up
	[ "$status" != 0 ]
	says "newer"
	sha256sum -c --quiet "$T/before"
}

@test "a store that cannot be read does not end what serves; a damaged instance does not stop davit" {
	EXTRA='analysis: off'
	serving_v1
	local damaged version
	kill -9 "$up_pid"
	wait_for 5 "the controller to leave" controller_is_gone
	wait "$up_pid" || true
	version=$(sqlite3 "$T/state/davit.db" 'PRAGMA user_version')
	sqlite3 "$T/state/davit.db" 'PRAGMA user_version = 999'
	# Not by a pipe: the gateway keeps it open.
	fails davit up >"$T/refused" 2>&1
	grep -q "serve on" "$T/refused"
	is v1.0.0 answering
	sqlite3 "$T/state/davit.db" "PRAGMA user_version = $version"
	damaged=$(find "$T/state/instances" -name spec.json | head -n 1)
	echo '{"cut' >"$damaged"
	up
	is v1.0.0 answering
	grep -q 'runtime.damaged' "$T/up.log"
	davit status | grep -q 'files were damaged: look at .*/.damaged-'
	wait_for 20 "another instance in its place" file_is_there "$damaged"
	rm -r "$T"/state/instances/.damaged-*
	fails grep -q 'damaged' <<<"$(davit status)"
}

file_is_there() { [ -s "$1" ]; }

controller_is_gone() { [ -z "$(pids_of controller)" ]; }

# small_disk SIZE: the state directory is a disk of its own
small_disk() {
	[ "$(id -u)" = 0 ] || skip "needs root for a small file system"
	mkdir -p "$T/state"
	mount -t tmpfs -o "size=$1,mode=700" tmpfs "$T/state" || skip "no mounts here"
}

# Takes all that is free, also what has become free since the last time.
fill_disk() { cat /dev/zero >>"$T/state/filler" 2>/dev/null || true; }
empty_disk() { rm "$T/state/filler"; }

store_is() { davit doctor --json | jq -e ".checks[] | select(.name == \"server\").state == \"$1\"" >/dev/null; }

# The canary of v2 has half of the users, and not a byte is free.
canary_on_a_full_disk() {
	small_disk 24m
	STRATEGY='[{ canary: { steps: [50%], each: { at_least: 5m, at_most: 10m } } }, switch]'
	serving_v1
	load_start
	release v2.0.0 "$@"
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0 --detach
	wait_for 20 "the weight to be 50 %" holds 5000 environment .candidate.weight_bp
	fill_disk
}

candidate_is_gone() {
	is 10000 environment .live.weight_bp
	is v1.0.0 live_tag
	is null environment .candidate
}

# Releases come and go again, without anybody having told davit that there is room.
goes_on_when_there_is_room() {
	empty_disk
	wait_for 10 "the store to have room" store_is ok
	is "" environment '.trouble // ""'
	STRATEGY=$FAST_CANARY
	release v3.0.0
	deploy v3.0.0
	[ "$status" = 0 ]
	is v3.0.0 live_tag
}

@test "a full disk: refused, nothing changed, and it works again when there is room" {
	small_disk 24m
	EXTRA='analysis: off'
	serving_v1
	release v2.0.0
	head -c 40M /dev/urandom >"$T/rel/v2.0.0/big"
	fails deploy_succeeds v2.0.0
	says "space"
	unchanged
	rm "$T/rel/v2.0.0/big"
	deploy v2.0.0
	[ "$status" = 0 ]
	down
}

deploy_succeeds() { deploy "$@" && [ "$status" = 0 ]; }

@test "the disk fills up under a canary: abort takes it from users, nobody fails, the rest is refused" {
	canary_on_a_full_disk
	exits 0 davit abort prod --reason "the disk is full"
	wait_for 5 "weight 0" holds 10000 environment .live.weight_bp
	wait_for 20 "the way back to end" holds null environment .rollout
	candidate_is_gone
	# What is left of the reserve is gone as well: it still serves, and says what is the matter.
	fill_disk
	wait_for 10 "doctor to say so" store_is problem
	expect_run davit doctor
	says "is full: free 8 MiB there"
	exits 0 davit status
	says "is full: free 8 MiB there"
	expect_run davit deploy prod v2.0.0 --allow-bad
	[ "$status" != 0 ]
	says "is full: free 8 MiB there"
	is null environment .rollout
	goes_on_when_there_is_room
	load_stop
	load_is_clean
	down
}

@test "the disk fills up under a canary that is bad: the verdict takes it from users" {
	# Enough requests to judge by are there when the disk is full already, and not before.
	EXTRA='analysis: { errors: { max: 2%, at_least: 2000 requests } }'
	canary_on_a_full_disk errors_bp=1000
	is 5000 environment .candidate.weight_bp
	wait_for 30 "the verdict and the way back" holds null environment .rollout
	candidate_is_gone
	says_why "answered 5xx"
	EXTRA=''
	goes_on_when_there_is_room
	load_stop
	load_is_clean
	down
}

says_why() { exits 0 davit why prod && says "$1"; }

@test "the disk fills up under a canary: davit is killed, starts on it, and a rollback takes it from users" {
	canary_on_a_full_disk
	kill -9 "$up_pid"
	wait_for 5 "the controller to leave" controller_is_gone
	wait "$up_pid" || true
	up
	is 5000 environment .candidate.weight_bp
	exits 0 davit rollback prod
	wait_for 20 "the way back to end" holds null environment .rollout
	candidate_is_gone
	goes_on_when_there_is_room
	load_stop
	load_is_clean
	down
}

@test "a start without any room is refused in one sentence, and everything is as it was" {
	local before
	small_disk 16m
	EXTRA='analysis: off'
	serving_v1
	fill_disk
	down
	rm "$T/state/davit.db-reserve"
	fill_disk
	sha256sum "$T/state/davit.db" >"$T/before"
	# Not by a pipe: the gateway keeps it open.
	fails davit up >"$T/refused" 2>&1
	cat "$T/refused"
	is 1 grep -c '^davit: .*free space there' "$T/refused"
	sha256sum -c --quiet "$T/before"
	empty_disk
	up
	is v1.0.0 live_tag
	wait_for 10 "v1 to serve" holds v1.0.0 answering
	down
}

@test "a state directory on a read-only disk" {
	small_disk 16m
	up
	down
	mount -o remount,ro "$T/state"
	exits 4 davit up
	says "\"lock\" cannot be made in the state directory $T/state"
	says "make it writable"
	is 1 wc -l <"$T/deploy.err"
	mount -o remount,rw "$T/state"
	up
	down
}

@test "hostile names are shown as what they are" {
	serving_v1
	exits 2 davit deploy prod "$T/rel/v1.0.0" --as $'v1\e[31m'
	fails grep -q $'\e' "$T/deploy.err"
	unchanged
}
