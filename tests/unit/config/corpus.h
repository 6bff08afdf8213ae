/* SPDX-License-Identifier: Apache-2.0
 * corpus - read the files of a directory beside the tests, in the order of their names. */
#ifndef TESTS_UNIT_CONFIG_CORPUS_H
#define TESTS_UNIT_CONFIG_CORPUS_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { CORPUS_FILE_MAX = 1 << 20, CORPUS_PATH_MAX = 512 };

/* The whole file as text, NUL-terminated; the caller frees. NULL when it is not there. */
static inline char *corpus_read(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return NULL;
	char *text = mem_zero(1, CORPUS_FILE_MAX + 1);
	*ret_size = fread(text, 1, CORPUS_FILE_MAX, file);
	fclose(file);
	return text;
}

static inline int corpus_is_yaml(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');
	return dot && strcmp(dot, ".yaml") == 0;
}

/* Calls `each` with the path without its ".yaml", and the text. Returns the number of files. */
static inline int corpus_each(const char *directory,
			      void (*each)(const char *stem, const char *text, size_t size))
{
	struct dirent **entries;
	int count = scandir(directory, &entries, corpus_is_yaml, alphasort);
	for (int i = 0; i < count; i++) {
		char path[CORPUS_PATH_MAX];
		size_t size = 0;
		snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
		char *text = corpus_read(path, &size);
		path[strlen(path) - strlen(".yaml")] = '\0';
		each(path, text, size);
		free(text);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return count;
}

#endif
