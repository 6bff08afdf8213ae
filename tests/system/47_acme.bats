#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Certificates of an authority: Pebble, the test server of Let's Encrypt, asks the gateway as it would from outside. What
# it is answered by the gateway alone is in tests/conformance/tls_names.py.

load lib.bash
setup() {
	kit_setup
	CLEAR=$(free_port) PEBBLE=$(free_port) DNS=$(free_port)
	pebble_pids=()
}
teardown() {
	kill "${pebble_pids[@]}" 2>/dev/null || true
	kit_teardown
}

# The authority, and a name server that sends all hosts to this machine. Some nonces are refused.
pebble_start() {
	mkdir -p "$T/pebble"
	openssl req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=authority -addext \
		subjectAltName=DNS:authority.test,IP:127.0.0.1 -keyout "$T/pebble/key.pem" -out "$T/pebble/cert.pem" 2>/dev/null
	cat >"$T/pebble/config.json" <<JSON
{"pebble": {"listenAddress": "127.0.0.1:$PEBBLE", "managementListenAddress": "", "certificate": "$T/pebble/cert.pem",
 "privateKey": "$T/pebble/key.pem", "httpPort": $CLEAR, "tlsPort": $PORT, "certificateValidityPeriod": 7776000}}
JSON
	pebble-challtestsrv -dns01 "127.0.0.1:$DNS" -defaultIPv6 '' -http01 '' -https01 '' -tlsalpn01 '' -management '' \
		>"$T/dns.log" 2>&1 3>&- &
	pebble_pids+=($!)
	pebble_run
}

pebble_run() {
	PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=5 pebble -config "$T/pebble/config.json" -dnsserver "127.0.0.1:$DNS" \
		>>"$T/pebble.log" 2>&1 3>&- &
	pebble_pids+=($!)
	wait_for 10 "the authority" curl -sSf -o /dev/null --cacert "$T/pebble/cert.pem" "https://127.0.0.1:$PEBBLE/dir"
}

# A davit whose machine trusts the authority, as it trusts known ones: in a file system of its own.
trusting() {
	cat /etc/ssl/certs/ca-certificates.crt "$T/pebble/cert.pem" >"$T/trusted.crt"
	cat >"$T/davit-trusting" <<SH
#!/bin/sh
exec unshare -m sh -c 'mount --bind "$T/trusted.crt" /etc/ssl/certs/ca-certificates.crt && exec "$DAVIT" "\$@"' sh "\$@"
SH
	chmod +x "$T/davit-trusting"
}

serve() { DAVIT=$T/davit-trusting up; }

acme() { # HOSTS [MORE]: an environment that orders
	local hosts=''
	for host in $1; do hosts="$hosts{ host: $host },"; done
	ENVIRONMENT_EXTRA="    analysis: off
    routes: [ ${hosts%,} ]
    tls: { acme: { email: ops@shop.test, directory: 'https://127.0.0.1:$PEBBLE/dir'$2 }, redirect: 127.0.0.1:$CLEAR, hsts: 1d }"
}

site() { echo "$T/state/acme/sites/shop.prod/site.pem"; }
shown() { # HOST: what clients see there
	openssl s_client -connect "127.0.0.1:$PORT" -servername "$1" </dev/null 2>/dev/null | openssl x509 -noout -issuer -serial -ext subjectAltName
}
by_authority() { shown "$1" | grep -q 'issuer=CN = Pebble'; }
serving() { curl -sSk --max-time 5 -o /dev/null -D - --resolve "shop.test:$PORT:127.0.0.1" "https://shop.test:$PORT/item/1" | tr -d '\r' |
	awk -F': ' 'tolower($1) == "x-release" { print $2 }'; }
state() { davit status prod --json | python3 -c 'import json, sys
print((json.load(sys.stdin)["applications"][0]["environments"][0]["certificate"] or {}).get(sys.argv[1]))' "$1"; }
state_is() { [ "$(state state)" = "$1" ]; }
orders() { grep -c 'control.certificate-ordered' "$T/up.log" || true; }

@test "names, redirects and challenges at the gateway alone" {
	DAVIT=$DAVIT run timeout 60 python3 -W ignore "$BATS_TEST_DIRNAME/../conformance/tls_names.py"
	grep -v '^ok ' <<<"$output"
	[ "$status" -eq 0 ]
}

@test "a certificate is ordered by HTTP-01, renewed by TLS-ALPN-01, and not ordered again by who comes after a crash" {
	STRATEGY="[switch]"
	pebble_start
	trusting
	acme "shop.test www.shop.test"
	release v1.0.0
	acme "shop.test pay.shop.test" ", challenge: tls-alpn-01"
	release v2.0.0
	serve
	deploy v1.0.0
	[ "$status" = 0 ]
	wait_for 20 "the certificate" by_authority shop.test
	shown shop.test | grep -q 'DNS:shop.test, DNS:www.shop.test'
	holds v1.0.0 serving
	run curl -s --max-time 5 -o /dev/null -w '%{http_code} %{redirect_url}' -H 'Host: www.shop.test' "http://127.0.0.1:$CLEAR/item?n=1"
	[ "$output" = "308 https://www.shop.test:$PORT/item?n=1" ]
	[ "$(stat -c %a "$(site)")" = 600 ]
	fails grep -q 'PRIVATE KEY' "$T/state/davit.db" "$T/state/table"
	wait_for 10 "its state" state_is good
	# Who comes after a crash has it, and asks nobody.
	kill_one controller
	wait_for 20 "the controller" controller_is_back
	wait_for 10 "its state" state_is good
	[ "$(orders)" = 1 ]
	# Other hosts, and the other way to ask.
	deploy v2.0.0
	[ "$status" = 0 ]
	wait_for 20 "the other certificate" sh -c "openssl x509 -in '$(site)' -noout -ext subjectAltName | grep -q pay.shop.test"
	[ "$(find "$T/state/acme/accounts" -name registered | wc -l)" = 1 ]
	# What an authority calls a token is a name, or nothing is written.
	hook() { DAVIT_CHALLENGE=http-01 DAVIT_CHALLENGES=$T/hooked "$T/state/acme/hook" "$@"; }
	mkdir "$T/hooked"
	for token in ../evil a/b '' . '$(id)' 'a b'; do fails hook begin http-01 shop.test "$token" answer; done
	fails hook begin dns-01 shop.test token answer
	[ -z "$(ls -A "$T/hooked")" ]
	hook begin http-01 shop.test token answer
	[ "$(cat "$T/hooked/token")" = answer ]
	hook 'done' http-01 shop.test token answer
	[ -z "$(ls -A "$T/hooked")" ]
	# An old one is renewed.
	down
	python3 "$BATS_TEST_DIRNAME/old_certificate.py" "$(site)" shop.test pay.shop.test
	sqlite3 "$T/state/davit.db" "UPDATE certificate SET tried = tried - 86400000"
	old=$(openssl x509 -in "$(site)" -noout -serial)
	serve
	wait_for 20 "the renewal" sh -c "test '$old' != \"\$(openssl x509 -in '$(site)' -noout -serial)\""
	wait_for 10 "it to be shown" by_authority shop.test
}

# What uacme says of a refusal, without an authority; and a davit that finds no uacme at all.
no_authority() {
	mkdir "$T/bin" "$T/empty"
	cat >"$T/bin/uacme" <<'SH'
#!/bin/sh
echo "$*" >>"${HOME%/state/*}/calls"
kind=rateLimited
[ "$(wc -l <"${HOME%/state/*}/calls")" -gt 2 ] || kind=badNonce
cat >&2 <<TEXT
uacme: failed to create new order at https://ca.test/order
uacme: the server reported the following error:
{
    "type": "urn:ietf:params:acme:error:$kind",
    "detail": "Too many \"new orders\" today.",
    "status": 429
}
TEXT
exit 2
SH
	chmod +x "$T/bin/uacme"
	printf '#!/bin/sh\nPATH=%s exec %s "$@"\n' "$T/bin:$PATH" "$DAVIT" >"$T/davit-refused"
	printf '#!/bin/sh\nPATH=%s exec %s "$@"\n' "$T/empty" "$DAVIT" >"$T/davit-without"
	chmod +x "$T/davit-refused" "$T/davit-without"
}

@test "an authority that refuses is asked again later, also after a restart; a missing uacme is named" {
	STRATEGY="[switch]"
	no_authority
	acme shop.test
	release v1.0.0
	acme "shop.test b.test"
	release v2.0.0
	DAVIT=$T/davit-refused up
	deploy v1.0.0
	[ "$status" = 0 ]
	wait_for 20 "the failure" state_is failing
	holds v1.0.0 serving
	state text | grep -q "gave no certificate for shop.test: Too many 'new orders' today. Next try: "
	davit status | grep -q 'tls .*gave no certificate'
	expect_run davit doctor
	[ "$status" != 0 ]
	grep -q 'problem certificate .*gave no certificate' <<<"$output"
	[ "$(orders)" = 1 ]
	# A nonce that was refused is no refusal.
	[ "$(grep -c 'new ops@shop.test$' "$T/calls")" = 3 ]
	down
	DAVIT=$T/davit-without up
	wait_for 20 "what is known of it" state_is failing
	[ "$(orders)" = 0 ]
	deploy v2.0.0
	[ "$status" != 0 ]
	grep -q 'apt-get install uacme' "$T/deploy.err"
	# The page's example is one, and needs it.
	python3 - "$BATS_TEST_DIRNAME/../../docs/how-to/tls.md" >"$T/davit.yaml" <<'PYTHON'
import re, sys
(block,) = re.findall(r"## Certificates from an authority\n\n```yaml\n(.*?)^```", open(sys.argv[1]).read(), re.M | re.S)
print("app: shop\nservice: { run: bin/server --port $PORT, health: /up }\n" + block)
PYTHON
	davit validate
	DAVIT=$T/davit-without expect_run davit doctor
	grep -q 'problem uacme .*not installed' <<<"$output"
}
