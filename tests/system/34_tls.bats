#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# HTTPS at `listen`: the gateway alone against raw clients (tests/conformance/tls.py), and a whole davit whose
# deployments nobody behind TLS notices.

load lib.bash
setup() { kit_setup; }
teardown() { kit_teardown; }

page() { # BLOCK: what docs/how-to/tls.md tells people to type there, in $T/tls, at our port
	python3 - "$1" "$BATS_TEST_DIRNAME/../../docs/how-to/tls.md" >"$T/page.sh" <<'PYTHON'
import re, sys
(block,) = re.findall(rf"<!-- run: {sys.argv[1]} -->\n```sh\n(.*?)^```", open(sys.argv[2]).read(), re.M | re.S)
print(block)
PYTHON
	sed -i "s/8443/$PORT/g" "$T/page.sh"
	env -C "$T/tls" sh -eu "$T/page.sh" 2>"$T/page.err"
}

certificates() { # into $T/tls
	mkdir -p "$T/tls"
	page make
	ENVIRONMENT_EXTRA="    tls: { certificate: $T/tls/cert.pem, key: $T/tls/key.pem, hsts: 1d }"
}

get() { # CURL OPTION...
	curl -sS --max-time 5 --cacert "$T/tls/cert.pem" --resolve "shop.test:$PORT:127.0.0.1" "$@" "https://shop.test:$PORT/item/1"
}
serving() { get -o /dev/null -D - | tr -d '\r' | awk -F': ' 'tolower($1) == "x-release" { print $2 }'; }

@test "certificates, versions, tickets, renewals, and clients that mean harm" {
	DAVIT=$DAVIT run timeout 100 /usr/bin/python3 -W ignore "$BATS_TEST_DIRNAME/../conformance/tls.py"
	grep -v '^ok ' <<<"$output"
	[ "$status" -eq 0 ]
}

# Four clients that each keep one connection and take every failure for one.
clients_start() {
	python3 - "$PORT" "$T/tls/cert.pem" "$T/clients.stop" >"$T/clients.log" 2>&1 3>&- <<'PYTHON' &
import os, socket, ssl, sys, threading, time
port, ca, stop = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context(cafile=ca)
asked, connects, failed = [0] * 4, [0] * 4, []
def client(i):
    sock = reader = None
    while not os.path.exists(stop):
        try:
            if not sock:
                raw = socket.create_connection(("127.0.0.1", port), 10)
                sock = context.wrap_socket(raw, server_hostname="shop.test", suppress_ragged_eofs=False)
                reader = sock.makefile("rb")
                connects[i] += 1
            sock.sendall(b"GET /item/1 HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            status = reader.readline()
            if not status.startswith(b"HTTP/1.1 200 "):
                raise OSError("status %r" % status)
            head = {}
            while (line := reader.readline()) != b"\r\n":
                name, _, value = line.decode().partition(":")
                head[name.lower()] = value.strip()
            size = int(head["content-length"])
            if len(reader.read(size)) != size:
                raise OSError("short body")
            asked[i] += 1
            if head.get("connection") == "close":
                sock.close()
                sock = None
        except OSError as why:
            failed.append(repr(why))
            sock = None
        time.sleep(0.002)
threads = [threading.Thread(target=client, args=(i,)) for i in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print("asked", sum(asked), "connects", sum(connects), "failed", len(failed), *failed[:5])
PYTHON
	load_pid=$!
}

clients_stop() {
	touch "$T/clients.stop"
	wait "$load_pid"
	load_pid=''
	cat "$T/clients.log"
}

@test "nobody behind TLS notices deployments, and a controller and a supervisor that die" {
	certificates
	STRATEGY=$FAST_BLUE_GREEN
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	wait_for 10 "HTTPS" holds v1.0.0 serving
	page ask
	get -o /dev/null -D "$T/head"
	grep -qi '^strict-transport-security: max-age=86400' "$T/head"
	run curl -s --max-time 5 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$PORT/"
	[ "$output" = 400 ]
	fails grep -rq 'PRIVATE KEY' "$T/state"
	clients_start
	for tag in v2.0.0 v1.0.0 v2.0.0; do
		deploy "$tag"
		[ "$status" = 0 ]
	done
	kill_one gateway-supervisor
	kill_one controller
	wait_for 20 "the controller" controller_is_back
	deploy v1.0.0
	[ "$status" = 0 ]
	clients_stop
	grep -Eq '^asked [0-9]{3,} connects 4 failed 0$' "$T/clients.log"
}

@test "a key that all can read is refused before anything happens, and deployed once it is mended" {
	certificates
	chmod 644 "$T/tls/key.pem"
	up
	release v1.0.0
	deploy v1.0.0
	[ "$status" != 0 ]
	grep -q "open to every user" "$T/deploy.err"
	chmod 600 "$T/tls/key.pem"
	davit deploy prod "$T/rel/v1.0.0" --as v1.0.0 --detach
	wait_for 20 "HTTPS" holds v1.0.0 serving
}

@test "after a reboot a certificate that is gone takes away its own site alone" {
	certificates
	cp "$T/tls/cert.pem" "$T/tls/next.pem"
	STRATEGY=$FAST_BLUE_GREEN
	ENVIRONMENT_EXTRA="    analysis: off
    routes: [{ host: shop.test }]
$ENVIRONMENT_EXTRA
  next:
    listen: 127.0.0.1:$PORT
    strategy: test
    analysis: off
    routes: [{ host: next.test }]
    tls: { certificate: $T/tls/next.pem, key: $T/tls/key.pem }"
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	expect_run davit deploy next "$T/rel/v1.0.0" --as v1.0.0
	[ "$status" = 0 ]
	down
	rm "$T/tls/next.pem"
	up
	wait_for 20 "HTTPS" holds v1.0.0 serving
	grep -q 'certificate-refused.*next.pem' "$T/up.log"
	deploy v2.0.0
	[ "$status" = 0 ]
	holds v2.0.0 serving
	fails davit doctor
	davit status next | grep -q 'tls .*next.pem" cannot be read'
}
