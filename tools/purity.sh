#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tools/purity.sh LIBRARY... - may these static libraries be called pure?
#
# They may call mem*, str*, libm, a failed ASSERT, what compilers insert, the pure helpers of base/, and each
# other. Anything else (a clock, malloc, a file, printf) is an outside world that a simulator could not replay.
set -u

allowed='^(mem(cpy|move|set|cmp|chr|mem)|bcmp|str(len|cmp|ncmp|chr|rchr|str|spn|cspn|nlen)|__(memcpy|memmove|memset|strcpy)_chk'
allowed+='|(log|log2|log10|log1p|exp|exp2|expm1|pow|sqrt|floor|ceil|fabs|round|rint|nearbyint|lround|ldexp|frexp|lgamma|tgamma|erf|erfc|fmin|fmax|fma|cbrt|hypot|trunc|sin|cos|isnan|isinf)(l|f)?'
allowed+='|assert_failed|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|sanitizer|gcov|tsan)_.*|__start___.*|__stop___.*'
allowed+='|(un)?pack_[a-z0-9_]+|text_[a-z0-9_]+|err(or)?_[a-z0-9_]+|hash_keyed|histogram_[a-z0-9_]+|digest_(equal|to_hex|from_hex|is_zero|compare))$'

[ $# -gt 0 ] || { echo "usage: tools/purity.sh LIBRARY..."; exit 2; }
own=$(nm --defined-only "$@" 2>/dev/null | awk 'NF == 3 {print $3}' | sort -u)
failed=0 passed=0
for library in "$@"; do
	found=$(nm -A -u "$library" 2>/dev/null | awk '{print $NF, $1}' | while read -r symbol where; do
		[[ $symbol =~ $allowed ]] && continue
		grep -qxF "$symbol" <<<"$own" && continue
		echo "$where calls $symbol"
	done)
	writable=$(objdump -t "$library" 2>/dev/null |
		awk '/^[0-9a-f]+ .* O (\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ && !/\.data\.rel\.ro/ {print "a variable is kept: " $NF}' |
		grep -vE ': (__|\.L)')
	if [ -n "$found$writable" ]; then
		printf '%s\n' "$found" "$writable" | grep .
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
