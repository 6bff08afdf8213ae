#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Wrong input: one clear sentence, what to do next, and nothing changed.

load lib.bash
setup() { kit_setup; }
teardown() { kit_teardown; }

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
	cp "$damaged" "$T/spec.json"
	echo '{"cut' >"$damaged"
	up
	is v1.0.0 answering
	davit status
	grep -q 'runtime.damaged' "$T/up.log"
	kill -9 "$up_pid"
	wait_for 5 "the controller to leave" controller_is_gone
	wait "$up_pid" || true
	cp "$T/spec.json" "$damaged"
	up
}

controller_is_gone() { [ -z "$(pids_of controller)" ]; }

@test "a full disk: refused, nothing changed, and it works again when there is room" {
	[ "$(id -u)" = 0 ] || skip "needs root for a small file system"
	mkdir "$T/state"
	EXTRA='analysis: off'
	mount -t tmpfs -o size=6m tmpfs "$T/state" || skip "no mounts here"
	serving_v1
	head -c 20M /dev/urandom >"$T/big"
	release v2.0.0
	mv "$T/big" "$T/rel/v2.0.0/big"
	expect_run davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	full_status=$status
	says "space" || full_status=unsaid
	still=$(answering)
	rm "$T/rel/v2.0.0/big"
	deploy v2.0.0
	again=$status
	down
	umount "$T/state"
	[ "$full_status" != 0 ] && [ "$full_status" != unsaid ]
	[ "$still" = v1.0.0 ]
	[ "$again" = 0 ]
}

@test "hostile names are shown as what they are" {
	serving_v1
	exits 2 davit deploy prod "$T/rel/v1.0.0" --as $'v1\e[31m'
	fails grep -q $'\e' "$T/deploy.err"
	unchanged
}
