/* SPDX-License-Identifier: Apache-2.0
 * sample - see sample.h for the contract. */
#include "judge/sample.h"

#include <string.h>

#include "base/err.h"

/* Let the value at `root` sink to its place in the heap of `count` values, the largest on top. */
static void sink(double *values, uint32_t root, uint32_t count)
{
	double value = values[root];
	for (uint32_t child; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && values[child + 1] > values[child])
			child++;
		if (values[child] <= value)
			break;
		values[root] = values[child];
	}
	values[root] = value;
}

void sample_sort(double *values, uint32_t count)
{
	ASSERT(count <= SAMPLE_MAX);
	for (uint32_t i = count / 2; i-- > 0;)
		sink(values, i, count);
	for (uint32_t last = count; last-- > 1;) {
		double largest = values[0];
		values[0] = values[last];
		values[last] = largest;
		sink(values, 0, last);
	}
}

/* Twice, the second time over what the first left, which rounding then hardly touches. */
double sample_mean(const double *values, uint32_t count)
{
	ASSERT(count <= SAMPLE_MAX);
	double sum = 0, rest = 0;
	if (count == 0)
		return 0;
	for (uint32_t i = 0; i < count; i++)
		sum += values[i];
	for (uint32_t i = 0; i < count; i++)
		rest += values[i] - sum / count;
	return sum / count + rest / count;
}

double sample_percentile(const double *sorted, uint32_t count, double percent)
{
	ASSERT(count > 0 && count <= SAMPLE_MAX && percent >= 0 && percent <= 100);
	double at = (count - 1) * (percent / 100);
	uint32_t below = (uint32_t)at;
	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
}

struct sample_fences sample_fences(const double *sorted, uint32_t count, double factor)
{
	double low = sample_percentile(sorted, count, 25);
	double high = sample_percentile(sorted, count, 75);
	double reach = factor * (high - low);
	return (struct sample_fences){.low = low - reach, .high = high + reach};
}

uint32_t sample_keep(double *sorted, uint32_t count, double low, double high)
{
	uint32_t from = 0;
	while (from < count && sorted[from] < low)
		from++;
	while (count > from && sorted[count - 1] > high)
		count--;
	memmove(sorted, sorted + from, (count - from) * sizeof *sorted);
	return count - from;
}
