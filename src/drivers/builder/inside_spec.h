/* SPDX-License-Identifier: Apache-2.0
 *
 * inside_spec - what the program in the sandbox is told: a job as bytes, and back. Internal to drivers/builder/.
 *
 * HOW   inside_pack() (inside.h) on davit's side, inside_unpack() in the sandbox.
 * OWNS  What is unpacked lives until inside_spec_done(), also after a failure.
 */
#ifndef DRIVERS_BUILDER_INSIDE_SPEC_H
#define DRIVERS_BUILDER_INSIDE_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "drivers/builder/inside.h"

struct inside_program {
	char **argv; /* NULL-terminated; NULL: there is none */
};

struct inside_service {
	char name[BUILDER_NAME_SIZE];
	struct inside_program run, ready;
	uint16_t tcp;
	uint64_t deadline_ms;
};

struct inside_spec {
	struct inside_limits limits;
	struct inside_program run;
	char **environment;    /* NULL-terminated */
	uint32_t secret_count; /* that come beside it */
	uint32_t service_count;
	struct inside_service services[BUILDER_SERVICES_MAX];
};

int inside_unpack(const void *data, size_t size, struct inside_spec *ret_spec,
		  struct error *err) MUST_CHECK;
/* Into the environment; false: they are not what the spec says. */
bool inside_add_secrets(struct inside_spec *spec, const char *bytes, size_t size);
void inside_spec_done(struct inside_spec *spec);

#endif
