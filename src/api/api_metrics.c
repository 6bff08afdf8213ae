/* SPDX-License-Identifier: Apache-2.0
 * api_metrics - GET /metrics, for Prometheus. See routes.h. */
#include <stdlib.h>

#include "api/routes.h"
#include "control/metrics.h"

enum { PART = 64 * 1024 };

struct page {
	struct buf text;
	size_t sent;
};

static bool more(void *context, struct buf *to)
{
	struct page *page = context;
	size_t left = page->text.size - page->sent, part = left < PART ? left : PART;
	buf_append(to, buf_text(&page->text) + page->sent, part);
	page->sent += part;
	return page->sent < page->text.size;
}

static void gone(void *context)
{
	struct page *page = context;
	buf_done(&page->text);
	free(page);
}

void get_metrics(struct api *api, struct http_request *request)
{
	struct page *page = mem_zero(1, sizeof *page);
	buf_init(&page->text, METRICS_BYTES_MAX);
	control_metrics(api->parts.control, &page->text);
	http_stream(request, "text/plain; version=0.0.4; charset=utf-8", more, gone, page);
}
