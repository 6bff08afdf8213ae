/* SPDX-License-Identifier: Apache-2.0
 * smoke_get - the probes of smoke.c: a GET, and whether its answer is the expected one. */
#include "drivers/check/smoke_state.h"

#include <curl/header.h>
#include <stdio.h>

#include "drivers/check/answer.h"

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct run *run = context;
	buf_append(&run->body, data, size * count);
	run->body_cut = run->body.overflowed;
	return run->body_cut ? 0 : size * count;
}

static const char *find_field(void *context, const char *name, size_t at)
{
	struct run *run = context;
	struct curl_header *field;
	return curl_easy_header(run->transfer, name, at, CURLH_HEADER, -1, &field) == CURLHE_OK
		       ? field->value
		       : NULL;
}

static bool judge_whole(struct run *run, char *to, size_t size)
{
	curl_off_t took_us = 0;
	struct answer answer = {.body = buf_text(&run->body),
				.size = run->body.size,
				.field = find_field,
				.context = run};
	curl_easy_getinfo(run->transfer, CURLINFO_RESPONSE_CODE, &answer.status);
	curl_easy_getinfo(run->transfer, CURLINFO_TOTAL_TIME_T, &took_us);
	answer.took_us = (uint64_t)took_us;
	return answer_judge(&run->request.checks[run->at], &answer, to, size);
}

/* What the answer is worth. Returns NULL when it is as expected, else fills the sentence. */
static const char *judge_answer(struct run *run, CURLcode code, char *to, size_t size)
{
	const struct check *check = &run->request.checks[run->at];
	if (run->body_cut)
		snprintf(to, size, "The smoke check GET %s was answered with more than %d bytes.",
			 check->path, CHECK_BODY_MAX);
	else if (code != CURLE_OK)
		snprintf(to, size, "The smoke check GET %s at %s failed: %s.", check->path,
			 run->request.address, curl_easy_strerror(code));
	else if (judge_whole(run, to, size))
		return NULL;
	return to;
}

void smoke_answered(void *context, CURLcode code)
{
	struct run *run = context;
	char sentence[SENTENCE_MAX];
	const char *failed = judge_answer(run, code, sentence, sizeof sentence);
	transfers_end(run->smoke->transfers, run->transfer);
	run->transfer = NULL;
	curl_slist_free_all(run->fields);
	run->fields = NULL;
	if (failed)
		smoke_finish(run, false, failed);
	else
		smoke_advance(run);
}

void smoke_begin_get(struct run *run)
{
	const struct check *check = &run->request.checks[run->at];
	char url[CHECK_TEXT_SIZE + 160], field[300];
	snprintf(url, sizeof url, "http://%s%s", run->request.address, check->path);
	buf_clear(&run->body);
	run->body_cut = false;
	run->transfer = transfer_get(url, check->timeout_ms, take_body, run);
	if (run->request.host[0]) {
		snprintf(field, sizeof field, "Host: %s", run->request.host);
		run->fields = curl_slist_append(NULL, field);
	}
	curl_easy_setopt(run->transfer, CURLOPT_HTTPHEADER, run->fields);
	curl_easy_setopt(run->transfer, CURLOPT_USERAGENT, "davit-smoke");
	if (run->request.http2)
		curl_easy_setopt(run->transfer, CURLOPT_HTTP_VERSION,
				 (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
	transfers_start(run->smoke->transfers, run->transfer);
}
