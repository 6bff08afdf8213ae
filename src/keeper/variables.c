/* SPDX-License-Identifier: Apache-2.0
 * variables - see variables.h for the contract. */
#include "keeper/variables.h"

#include <stdlib.h>
#include <string.h>

static size_t name_size(const char *variable)
{
	return strcspn(variable, "=");
}

/* Takes over `variable`. */
static void put(struct variables *v, char *variable)
{
	size_t size = name_size(variable) + 1;
	for (size_t i = 0; i < v->count; i++)
		if (strncmp(v->list[i], variable, size) == 0) {
			free(v->list[i]);
			v->list[i] = variable;
			return;
		}
	ASSERT(v->count < VARIABLES_MAX);
	v->list[v->count++] = variable;
	v->list[v->count] = NULL;
}

static void put_pair(struct variables *v, const char *name, const char *value)
{
	struct buf b;
	buf_init(&b, VARIABLES_WORD_BYTES);
	buf_printf(&b, "%s=%s", name, value);
	put(v, buf_take(&b));
}

static void inherit(struct variables *v, const char *name, const char *otherwise)
{
	const char *value = getenv(name);
	if (value || otherwise)
		put_pair(v, name, value ? value : otherwise);
}

static void put_number(struct variables *v, const char *name, unsigned value)
{
	struct buf b;
	buf_init(&b, 64);
	buf_printf(&b, "%s=%u", name, value);
	put(v, buf_take(&b));
}

void variables_make(struct variables *v, const struct instance_spec *spec, const char *home,
		    uint16_t port, const char *mark)
{
	*v = (struct variables){.count = 0};
	inherit(v, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	inherit(v, "LANG", NULL);
	inherit(v, "LC_ALL", NULL);
	inherit(v, "TZ", NULL);
	inherit(v, "HOME", NULL);
	if (home)
		put_pair(v, "HOME", home);
	if (spec->user)
		put_pair(v, "USER", spec->user);
	for (size_t i = 0; spec->variables[i]; i++)
		put(v, mem_copy_text(spec->variables[i]));
	if (spec->traffic)
		put_number(v, "PORT", port);
	put_pair(v, "DAVIT_APP", spec->app);
	put_pair(v, "DAVIT_ENVIRONMENT", spec->environment);
	put_pair(v, "DAVIT_PROCESS", spec->process);
	put_number(v, "DAVIT_SLOT", spec->slot);
	put_pair(v, "DAVIT_INSTANCE", spec->id);
	put_pair(v, "DAVIT_RELEASE", spec->tag[0] ? spec->tag : spec->release);
	put_pair(v, "DAVIT_RELEASE_ID", spec->release);
	put(v, mem_copy_text(mark));
	v->open_count = v->count;
}

void variables_add_secret(struct variables *v, char *variable)
{
	size_t size = name_size(variable) + 1;
	for (size_t i = 0; i < v->open_count; i++)
		if (strncmp(v->list[i], variable, size) == 0) {
			free(v->list[i]);
			memmove(v->list + i, v->list + i + 1, (v->count - i) * sizeof v->list[0]);
			v->count--;
			v->open_count--;
			break;
		}
	ASSERT(v->count < VARIABLES_MAX);
	v->list[v->count++] = variable;
	v->list[v->count] = NULL;
}

void variables_done(struct variables *v)
{
	for (size_t i = 0; i < v->count; i++) {
		if (i >= v->open_count)
			explicit_bzero(v->list[i], strlen(v->list[i]));
		free(v->list[i]);
	}
	*v = (struct variables){.count = 0};
}

static const char *find(const struct variables *v, const char *name, size_t size)
{
	for (size_t i = 0; i < v->open_count; i++)
		if (name_size(v->list[i]) == size && strncmp(v->list[i], name, size) == 0)
			return v->list[i] + size + 1;
	return NULL;
}

static char *expand_word(const char *word, const struct variables *v, bool *fits)
{
	struct buf b;
	buf_init(&b, VARIABLES_WORD_BYTES);
	buf_puts(&b, "");
	while (*word) {
		size_t plain = strcspn(word, "$");
		buf_append(&b, word, plain);
		word += plain;
		if (!*word)
			break;
		size_t size = strspn(word + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		const char *value = find(v, word + 1, size);
		if (value)
			buf_puts(&b, value);
		else
			buf_append(&b, word, size + 1);
		word += size + 1;
	}
	*fits = !b.overflowed;
	char *text = mem_copy_text(buf_text(&b));
	buf_done(&b);
	return text;
}

int words_expand(struct words *words, const char *const *argv, bool expand,
		 const struct variables *v, struct error *err)
{
	bool fits = true;
	*words = (struct words){.list = {NULL}};
	for (size_t i = 0; argv[i] && fits; i++) {
		ASSERT(i < INSTANCE_WORDS_MAX);
		words->list[i] = expand ? expand_word(argv[i], v, &fits) : mem_copy_text(argv[i]);
	}
	if (fits)
		return 0;
	words_done(words);
	return error_set(err, ERR_LIMIT, "A word of the command is longer than %d bytes.",
			 VARIABLES_WORD_BYTES);
}

void words_done(struct words *words)
{
	for (size_t i = 0; words->list[i]; i++)
		free(words->list[i]);
	*words = (struct words){.list = {NULL}};
}
