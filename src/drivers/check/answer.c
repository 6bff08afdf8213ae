/* SPDX-License-Identifier: Apache-2.0
 * answer - see answer.h for the contract. */
#include "drivers/check/answer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/json_path.h"

enum { SHOWN_MAX = 120, FIELDS_MAX = 32 };

static const char *show(const char *text, size_t text_size, char to[SHOWN_MAX])
{
	return text_show(text, text_size, to, SHOWN_MAX);
}

static bool judge_field(const struct check *check, const struct check_condition *wanted,
			const struct answer *answer, char *to, size_t size)
{
	char shown[SHOWN_MAX];
	const char *first = NULL, *value;
	for (size_t i = 0;
	     i < FIELDS_MAX && (value = answer->field(answer->context, wanted->name, i)); i++) {
		if (strcmp(value, wanted->value) == 0)
			return true;
		first = first ? first : value;
	}
	if (first)
		snprintf(
			to, size,
			"The smoke check GET %s was answered with the header %s: \"%s\" instead of "
			"\"%s\".",
			check->path, wanted->name, show(first, strlen(first), shown),
			wanted->value);
	else
		snprintf(to, size,
			 "The smoke check GET %s was answered without the header %s; \"%s\" was "
			 "expected.",
			 check->path, wanted->name, wanted->value);
	return false;
}

/* NULL: the way ends before. */
static const json_t *find(const json_t *value, const char *path)
{
	struct json_step step;
	const char *at = path + 1;
	while (value && json_path_next(&at, &step)) {
		char name[CHECK_CONDITION_NAME_SIZE];
		if (!step.name) {
			value = json_array_get(value, step.index);
			continue;
		}
		snprintf(name, sizeof name, "%.*s", (int)step.size, step.name);
		value = json_object_get(value, name);
	}
	return value;
}

/* As davit.yaml would write it; of what is no single value what it is. */
static void write_value(const json_t *value, char *to, size_t size)
{
	switch (json_typeof(value)) {
	case JSON_STRING: text_copy(to, size, json_string_value(value)); break;
	case JSON_INTEGER: snprintf(to, size, "%lld", (long long)json_integer_value(value)); break;
	case JSON_REAL: snprintf(to, size, "%.17g", json_real_value(value)); break;
	case JSON_TRUE: text_copy(to, size, "true"); break;
	case JSON_FALSE: text_copy(to, size, "false"); break;
	case JSON_NULL: text_copy(to, size, "null"); break;
	case JSON_OBJECT: text_copy(to, size, "an object"); break;
	case JSON_ARRAY: text_copy(to, size, "an array"); break;
	}
}

/* A number with a fraction is compared as such: 1.50 is 1.5. */
static bool is_equal(const json_t *value, const char *written, const char *wanted)
{
	char *end;
	if (json_is_object(value) || json_is_array(value))
		return false;
	if (strcmp(written, wanted) == 0)
		return true;
	if (!json_is_number(value) || !wanted[0])
		return false;
	double number = strtod(wanted, &end);
	return *end == '\0' && json_is_real(value) && number == json_real_value(value);
}

static bool judge_value(const struct check *check, const struct check_condition *wanted,
			const json_t *document, char *to, size_t size)
{
	char written[CHECK_TEXT_SIZE], shown[SHOWN_MAX];
	const json_t *value = find(document, wanted->name);
	if (!value) {
		snprintf(to, size,
			 "The smoke check GET %s was answered without %s; \"%s\" was expected "
			 "there.",
			 check->path, wanted->name, wanted->value);
		return false;
	}
	write_value(value, written, sizeof written);
	if (is_equal(value, written, wanted->value))
		return true;
	snprintf(to, size, "The smoke check GET %s was answered with %s = %s instead of \"%s\".",
		 check->path, wanted->name, show(written, strlen(written), shown), wanted->value);
	return false;
}

static bool judge_conditions(const struct check *check, const struct answer *answer, char *to,
			     size_t size)
{
	json_t *document = NULL;
	json_error_t error;
	bool good = true;
	for (uint32_t i = 0; i < check->condition_count && good; i++) {
		const struct check_condition *wanted = &check->conditions[i];
		if (!wanted->json) {
			good = judge_field(check, wanted, answer, to, size);
			continue;
		}
		if (!document)
			document = json_loadb(answer->body, answer->size, JSON_DECODE_ANY, &error);
		if (document) {
			good = judge_value(check, wanted, document, to, size);
			continue;
		}
		char shown[SHOWN_MAX];
		snprintf(to, size,
			 "The smoke check GET %s was answered with no JSON (line %d: %s); \"%s\" "
			 "was "
			 "expected at %s.",
			 check->path, error.line, show(error.text, strlen(error.text), shown),
			 wanted->value, wanted->name);
		good = false;
	}
	json_decref(document);
	return good;
}

bool answer_judge(const struct check *check, const struct answer *answer, char *to, size_t size)
{
	long status = answer->status;
	if (check->expect_status ? status != (long)check->expect_status
				 : status < 200 || status > 399)
		snprintf(to, size, "The smoke check GET %s was answered %ld instead of %u.",
			 check->path, status, check->expect_status ? check->expect_status : 200);
	else if (check->contains[0] &&
		 !memmem(answer->body, answer->size, check->contains, strlen(check->contains)))
		snprintf(to, size, "The smoke check GET %s was answered without \"%s\".",
			 check->path, check->contains);
	else if (!judge_conditions(check, answer, to, size))
		return false;
	else if (check->within_ms > 0 && answer->took_us > check->within_ms * 1000)
		snprintf(
			to, size,
			"The smoke check GET %s was answered in %llu ms instead of within %llu ms.",
			check->path, (unsigned long long)((answer->took_us + 999) / 1000),
			(unsigned long long)check->within_ms);
	else
		return true;
	return false;
}
