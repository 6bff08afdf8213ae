/* SPDX-License-Identifier: Apache-2.0
 *
 * secrets - what the instance is given, read from its files in memory just before its program starts.
 *
 * HOW   `secrets` in the instance's directory leads to a directory on a tmpfs with a file for each secret of the spec
 *       (drivers/runtime/delivery.h writes it). Its content, or its path, becomes a variable; its content is masked
 *       in the log from then on.
 * ERRORS NOT_FOUND: they are not there, which whoever starts keepers mends before it starts one. INVALID: a value with
 *       a NUL cannot be a variable.
 */
#ifndef KEEPER_SECRETS_H
#define KEEPER_SECRETS_H

#include "keeper/output.h"
#include "keeper/variables.h"

int secrets_read(int instance_fd, const struct instance_spec *spec, struct variables *variables,
		 struct output *output, struct error *err) MUST_CHECK;

#endif
