/* SPDX-License-Identifier: Apache-2.0
 * compare - see compare.h for the contract. */
#include "scan/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

const struct scan_policy scan_policy_default = {
	.blocks = true,
	.block_at = SEVERITY_HIGH,
	.at_most = {SCAN_NO_CAP, SCAN_NO_CAP, SCAN_NO_CAP, SCAN_NO_CAP},
};

/* --- matching: both lists in the order of one of the two identities, then side by side */

static int by_identity(const void *left, const void *right)
{
	struct finding *const *a = left, *const *b = right;
	return strcmp((*a)->identity, (*b)->identity);
}

static int by_plain(const void *left, const void *right)
{
	struct finding *const *a = left, *const *b = right;
	return strcmp((*a)->plain, (*b)->plain);
}

typedef int compare_pair(const void *, const void *);

static bool is_waiting(const struct finding *f)
{
	return f->state == FINDING_NEW || f->state == FINDING_FIXED;
}

/* Those that have not found their like, in order. */
static uint32_t gather(struct findings *list, compare_pair *compare, struct finding **to)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < list->count; i++)
		if (is_waiting(&list->items[i]))
			to[count++] = &list->items[i];
	qsort(to, count, sizeof(struct finding *), compare);
	return count;
}

static void meet(struct finding *now, struct finding *base)
{
	/* What nobody suppresses any more was never let through as it is. */
	bool uncovered = base->suppression != SUPPRESSED_NOT && now->suppression == SUPPRESSED_NOT;
	base->state = FINDING_EXISTING;
	now->state = uncovered ? FINDING_NEW : FINDING_EXISTING;
}

static void match(struct findings *now, struct findings *base, compare_pair *compare)
{
	struct finding **left = mem_zero(now->count + 1, sizeof(struct finding *)),
		       **right = mem_zero(base->count + 1, sizeof(struct finding *));
	uint32_t left_count = gather(now, compare, left),
		 right_count = gather(base, compare, right);
	for (uint32_t i = 0, k = 0; i < left_count && k < right_count;) {
		int order = compare(&left[i], &right[k]);
		/* Two of the same kind that differ in it are two findings, whatever their messages say. */
		if (order == 0 && (compare == by_identity || left[i]->kind != right[k]->kind))
			meet(left[i], right[k]);
		i += order <= 0;
		k += order >= 0;
	}
	free(left);
	free(right);
}

void findings_compare(struct findings *now, struct findings *base)
{
	for (uint32_t i = 0; i < now->count; i++)
		now->items[i].state = FINDING_NEW;
	for (uint32_t i = 0; base && i < base->count; i++)
		base->items[i].state = FINDING_FIXED;
	if (base) {
		match(now, base, by_identity);
		match(now, base, by_plain);
	}
	for (uint32_t i = 0; i < now->count; i++)
		if (now->items[i].suppression != SUPPRESSED_NOT)
			now->items[i].state = FINDING_SUPPRESSED;
	/* What was suppressed and is gone is no success; what was waived and is gone is one. */
	for (uint32_t i = 0; base && i < base->count; i++)
		if (base->items[i].state == FINDING_FIXED &&
		    base->items[i].suppression != SUPPRESSED_NOT &&
		    base->items[i].suppression != SUPPRESSED_BY_WAIVER)
			base->items[i].state = FINDING_SUPPRESSED;
}

/* --- counting and judging */

static void count(const struct findings *list, bool fixed, struct scan_counts *counts)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct finding *f = &list->items[i];
		if ((f->state == FINDING_FIXED) != fixed)
			continue;
		counts->of[f->state][f->severity]++;
		counts->total[f->state]++;
	}
}

void findings_count(const struct findings *now, const struct findings *base,
		    struct scan_counts *ret_counts)
{
	*ret_counts = (struct scan_counts){0};
	count(now, false, ret_counts);
	if (base)
		count(base, true, ret_counts);
}

/* "1 critical, 2 high" of the new ones at `least` and above. */
static uint32_t put_new(const struct scan_counts *counts, enum severity least, char *to,
			size_t size)
{
	uint32_t sum = 0;
	size_t used = 0;
	to[0] = '\0';
	for (unsigned s = SEVERITIES; s-- > (unsigned)least;) {
		uint32_t n = counts->of[FINDING_NEW][s];
		sum += n;
		if (n > 0 && used < size)
			used += (size_t)snprintf(to + used, size - used, "%s%u %s",
						 used ? ", " : "", n,
						 severity_name((enum severity)s));
	}
	return sum;
}

static bool over_cap(const struct scan_counts *counts, const struct scan_policy *policy,
		     char sentence[SCAN_SENTENCE_SIZE])
{
	for (unsigned s = SEVERITIES; s-- > 0;) {
		uint32_t n = counts->of[FINDING_NEW][s] + counts->of[FINDING_EXISTING][s];
		if (policy->at_most[s] == SCAN_NO_CAP || n <= (uint32_t)policy->at_most[s])
			continue;
		snprintf(sentence, SCAN_SENTENCE_SIZE,
			 "There are %u %s findings, new and existing; at most %d are allowed.", n,
			 severity_name((enum severity)s), policy->at_most[s]);
		return true;
	}
	return false;
}

bool scan_judge(const struct scan_counts *counts, const struct scan_policy *policy,
		char sentence[SCAN_SENTENCE_SIZE])
{
	char parts[96];
	const char *word = severity_name(policy->block_at);
	bool top = policy->block_at == SEVERITY_CRITICAL;
	uint32_t sum = put_new(counts, policy->block_at, parts, sizeof parts);
	if (policy->blocks && sum > 0) {
		snprintf(sentence, SCAN_SENTENCE_SIZE, "%u new %s blocked: %s.", sum,
			 sum == 1 ? "finding is" : "findings are", parts);
		return true;
	}
	if (over_cap(counts, policy, sentence))
		return true;
	if (policy->blocks)
		snprintf(sentence, SCAN_SENTENCE_SIZE, "No new finding is %s%s.", word,
			 top ? "" : " or worse");
	else
		snprintf(sentence, SCAN_SENTENCE_SIZE, "New findings block nothing here.");
	return false;
}

int scan_caps_parse(const char *text, struct scan_policy *policy, struct error *err)
{
	char part[32];
	struct scan_policy taken = *policy;
	for (const char *p = text; *p;) {
		size_t size = strcspn(p, ",");
		uint64_t most;
		enum severity severity;
		snprintf(part, sizeof part, "%.*s", (int)(size < sizeof part ? size : sizeof part),
			 p);
		char *equals = strchr(part, '=');
		if (equals)
			*equals = '\0';
		if (!equals || !severity_parse(part, &severity) ||
		    !text_parse_u64(equals + 1, FINDINGS_MAX, &most))
			return error_set(err, ERR_INVALID,
					 "Caps are written as critical=0,high=10, not \"%s\".",
					 text);
		taken.at_most[severity] = (int32_t)most;
		p += size + (p[size] == ',');
	}
	*policy = taken;
	return 0;
}
