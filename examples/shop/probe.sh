# SPDX-License-Identifier: Apache-2.0
# A dynamic scan, as small as one can be: asks the running shop what an intruder would ask first, and writes what it finds as SARIF.
# usage: sh probe.sh URL >REPORT

results=''
# finding RULE LEVEL PATH MESSAGE
finding() {
	results="$results${results:+,}{\"ruleId\":\"$1\",\"level\":\"$2\",\"message\":{\"text\":\"$4\"},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"$URL$3\"}}}]}"
}

URL=$1
for path in /.git/config /release.conf /etc/passwd; do
	[ "$(curl --silent --path-as-is --output page --write-out '%{http_code}' "$URL/..$path")" != 200 ] ||
		finding file-disclosed error "$path" "A file of the server is shown to everybody."
done
curl --silent --dump-header head --output page "$URL/up" || exit 1
grep -qi '^x-content-type-options: nosniff' head ||
	finding no-nosniff note /up "The answer does not say X-Content-Type-Options: nosniff."
printf '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},"results":[%s]}]}\n' "$results"
