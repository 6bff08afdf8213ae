/* SPDX-License-Identifier: Apache-2.0
 *
 * log_folder - STATE/builds/logs: a directory N for each build whose logs are kept.
 *
 * HOW   Both block, and may run in any thread. `directory_fd` is STATE/builds.
 */
#ifndef DRIVERS_BUILDS_LOG_FOLDER_H
#define DRIVERS_BUILDS_LOG_FOLDER_H

#include <stdint.h>

#include "base/err.h"

/* What the logs of each build take on the disk. */
int log_folder_each(int directory_fd, void (*each)(void *context, uint32_t number, uint64_t bytes),
		    void *context, struct error *err) MUST_CHECK;
int log_folder_forget(int directory_fd, uint32_t number, struct error *err) MUST_CHECK;

#endif
