/* SPDX-License-Identifier: Apache-2.0
 *
 * agreement - see agreement.h for the contract.
 */
#include "agreement.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_MAX = 1 << 20, CHUNK_BYTES = 1500 };

static char release_name[64], instance_name[64];

static void from_environment(char *to, size_t size, const char *name, const char *otherwise)
{
	const char *value = getenv(name);
	snprintf(to, size, "%s", value && value[0] != '\0' ? value : otherwise);
}

void agreement_init(const char *release)
{
	char pid[24];
	snprintf(pid, sizeof pid, "pid-%d", (int)getpid());
	from_environment(release_name, sizeof release_name, "DAVIT_RELEASE", release);
	from_environment(instance_name, sizeof instance_name, "DAVIT_INSTANCE", pid);
}

const char *agreement_release(void)
{
	return release_name;
}

/* FNV-1a, 64 bits. */
static uint64_t digest(const char *bytes, size_t size)
{
	uint64_t d = 0xcbf29ce484222325ull;
	for (size_t i = 0; i < size; i++)
		d = (d ^ (uint8_t)bytes[i]) * 0x100000001b3ull;
	return d;
}

void agreement_sign(struct http_exchange *x)
{
	const char *id = http_field(x, "X-Load-Id");
	http_add(x, "X-Release", "%s", release_name);
	http_add(x, "X-Instance", "%s", instance_name);
	if (id)
		http_add(x, "X-Load-Id", "%s", id);
}

void agreement_answer(struct http_exchange *x, const char *type, const char *text, size_t size,
		      bool chunked)
{
	http_add(x, "X-Body-Digest", "%016" PRIx64, digest(text, size));
	if (strcmp(x->method, "POST") == 0) {
		http_add(x, "X-Request-Bytes", "%zu", x->body_size);
		http_add(x, "X-Request-Digest", "%016" PRIx64, digest(x->body, x->body_size));
	}
	if (!chunked) {
		http_answer(x, 200, type, text, size);
		return;
	}
	http_begin(x, 200, type);
	for (size_t at = 0; at < size; at += CHUNK_BYTES)
		if (!http_chunk(x, text + at, size - at < CHUNK_BYTES ? size - at : CHUNK_BYTES))
			return;
	http_end(x);
}

void agreement_page(struct http_exchange *x, const char *text, size_t size, bool chunked)
{
	size_t have = strlen(text);
	size = size < PAGE_MAX ? size : PAGE_MAX;
	char *page = malloc(size + 1);
	if (!page) {
		http_text(x, 503, "Out of memory.\n");
		return;
	}
	for (size_t i = 0; i < size; i++)
		page[i] = i < have ? text[i] : (char)('a' + i * 7 % 26);
	agreement_answer(x, "text/plain", page, size, chunked);
	free(page);
}

void agreement_events(struct http_exchange *x, uint64_t from, uint64_t count, uint64_t gap_ms)
{
	struct timespec gap = {(time_t)(gap_ms / 1000), (long)(gap_ms % 1000) * 1000000};
	const char *id = http_field(x, "X-Load-Id");
	char event[160];
	http_begin(x, 200, "text/event-stream");
	for (uint64_t k = from; k <= count; k++) {
		int size;
		if (k > from)
			nanosleep(&gap, NULL);
		if (k < count)
			size = snprintf(event, sizeof event, "data: %s %" PRIu64 "\n\n",
					id ? id : "-", k);
		else
			size = snprintf(event, sizeof event, "data: %s end\n\n", id ? id : "-");
		if (!http_chunk(x, event, (size_t)size))
			return;
	}
	http_end(x);
}
