/* SPDX-License-Identifier: Apache-2.0
 * log_folder - see log_folder.h for the contract. */
#include "drivers/builds/log_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "os/file.h"
#include "os/graft.h"

int log_folder_each(int directory_fd, void (*each)(void *context, uint32_t number, uint64_t bytes),
		    void *context, struct error *err)
{
	int fd = -1;
	int code = file_open_directory(directory_fd, "logs", &fd, err);
	if (code < 0)
		return code;
	DIR *folder = fdopendir(fd);
	if (!folder) {
		close(fd);
		return error_errno(err, errno, "The logs of builds cannot be listed");
	}
	for (const struct dirent *entry; (entry = readdir(folder));) {
		struct error gone;
		uint64_t number;
		AUTO_CLOSE int one = -1;
		if (text_parse_u64(entry->d_name, UINT32_MAX, &number) &&
		    file_open_directory(dirfd(folder), entry->d_name, &one, &gone) == 0)
			each(context, (uint32_t)number, graft_measure(one, UINT64_MAX));
	}
	closedir(folder);
	return 0;
}

int log_folder_forget(int directory_fd, uint32_t number, struct error *err)
{
	char name[48];
	snprintf(name, sizeof name, "logs/%u", number);
	return graft_remove(directory_fd, name, err);
}
