/* SPDX-License-Identifier: Apache-2.0
 * replay - feeds every file of the folders named on its command line to one fuzzer, without libFuzzer. */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

enum { INPUT_MAX = 1 << 20, PATH_MAX_BYTES = 4096 };

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		exit(1);
	}
	uint8_t *data = malloc(INPUT_MAX);
	size_t size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	/* A block of just that size, so that a sanitizer sees the first byte that is read behind it. */
	uint8_t *exact = malloc(size + 1);
	memcpy(exact, data, size);
	free(data);
	exact = realloc(exact, size ? size : 1);
	printf("%s (%zu bytes)\n", path, size);
	fflush(stdout);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static size_t replay_folder(const char *folder)
{
	size_t count = 0;
	DIR *dir = opendir(folder);
	if (!dir) {
		perror(folder);
		exit(1);
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char path[PATH_MAX_BYTES];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		replay_file(path);
		count++;
	}
	closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	size_t count = 0;
	for (int i = 1; i < argc; i++)
		count += replay_folder(argv[i]);
	printf("%zu inputs replayed\n", count);
	return count > 0 ? 0 : 1; /* an empty corpus tests nothing */
}
