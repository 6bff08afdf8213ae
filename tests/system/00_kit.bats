#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The kit's own checks can fail: each is shown what it must not let pass. Needs no davit.

load lib.bash
setup() { kit_setup; }
teardown() { kit_teardown; }

# start_app KEY=VALUE...
start_app() {
	PORT=$(free_port)
	mkdir -p "$T/rel"
	printf '%s\n' version=v1 "journal=$T/journal" "$@" >"$T/rel/release.conf"
	(cd "$T/rel" && PORT=$PORT exec "$DAVIT_APP" 2>"$T/app.log" 3>&-) &
	app_pid=$!
	wait_for 5 "the service" curl -sf "http://127.0.0.1:$PORT/up"
}

@test "a process left behind is found by its mark, and by its directory" {
	[ -z "$(orphans)" ]
	(cd / && exec sleep 60 3>&-) &
	marked=$!
	(cd "$T" && exec env -u DAVIT_TEST_MARK sleep 60 3>&-) &
	placed=$!
	wait_for 5 "both to be seen" both_are_seen
	kill "$marked" "$placed"
	wait_for 5 "both to be gone" none_is_seen
}

both_are_seen() { [ "$(orphans | wc -l)" = 2 ]; }
none_is_seen() { [ -z "$(orphans)" ]; }

@test "waiting for what never comes ends, and fails" {
	fails wait_for 1 "pigs to fly" false
	wait_for 1 "the sky to be up" true
}

@test "the service keeps the agreement, and stops in peace under load" {
	start_app
	is v1 answering
	load_start
	wait_for 10 "two seconds of load" two_seconds_of_load
	load_stop
	load_is_clean
	kill "$app_pid"
	wait "$app_pid"
}

two_seconds_of_load() { [ "$(wc -l <"$T/load.json")" -ge 3 ]; }

@test "a request carried out twice, and one never carried out, are found" {
	start_app
	load_start
	wait_for 10 "two seconds of load" two_seconds_of_load
	load_stop
	posts_are_exact
	cp "$T/journal" "$T/journal.good"
	tail -n 1 "$T/journal.good" >>"$T/journal"
	fails posts_are_exact
	head -n -1 "$T/journal.good" >"$T/journal"
	fails posts_are_exact
	kill "$app_pid"
}

@test "a service that dies under load is not clean" {
	start_app
	load_start
	kill -9 "$app_pid"
	wait_for 10 "two seconds of load" two_seconds_of_load
	load_stop
	fails load_is_clean
}

@test "each way to misbehave does" {
	mkdir -p "$T/rel"
	echo crash_at_start=1 >"$T/rel/release.conf"
	expect_run env -C "$T/rel" PORT="$PORT" "$DAVIT_APP"
	[ "$status" = 3 ]
	start_app errors_bp=2500
	"$DAVIT_LOAD" --url "http://127.0.0.1:$PORT" --rate 400 --duration 1s --mix get=1 --out "$T/load.json"
	is 100 load .failed.service_5xx
	kill "$app_pid"
	wait "$app_pid"
	start_app crash_after=10
	"$DAVIT_LOAD" --url "http://127.0.0.1:$PORT" --rate 100 --duration 1s --mix get=1 --out "$T/load.json"
	is 9 load .ok
	start_app unhealthy_after=5
	for _ in 1 2 3 4 5; do curl -sf -o /dev/null "http://127.0.0.1:$PORT/item/1"; done
	fails curl -sf -o /dev/null "http://127.0.0.1:$PORT/up"
	kill "$app_pid"
	start_app ignore_term=1
	kill "$app_pid"
	curl -sf -o /dev/null "http://127.0.0.1:$PORT/up"
	kill -9 "$app_pid"
}
