/* SPDX-License-Identifier: Apache-2.0
 *
 * measure - what an instance uses, by what its keeper has written down of its program.
 *
 * HOW   A struct measure of zeros for each instance; measure_take() whenever somebody asks. The record is read
 *       again only when the instance has another pid.
 * SEE   provider/runtime.h (measure), os/usage.h
 */
#ifndef DRIVERS_RUNTIME_MEASURE_H
#define DRIVERS_RUNTIME_MEASURE_H

#include "link/instance_record.h"
#include "os/usage.h"
#include "provider/runtime.h"

struct measure {
	int32_t pid; /* whose the rest is; 0: nobody's */
	uint64_t start;
	struct cgroup cgroup;
	struct usage_meter meter;
};

/* The keeper's record in the instance's directory. False: there is none, or it is damaged. */
bool measure_read_record(int dir_fd, struct instance_record *ret_record);

/* `pid` is the program's (0: none runs). `all` is shared by the instances of one look. */
void measure_take(struct measure *measure, int dir_fd, int32_t pid, struct usage_processes *all,
		  struct runtime_usage *ret_usage);

#endif
