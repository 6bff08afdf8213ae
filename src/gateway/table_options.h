/* SPDX-License-Identifier: Apache-2.0
 *
 * table_options - what an environment of a gateway's table file says about itself alone: how it serves,
 *                 holds, splits and ends requests. What names other records is read by gateway/table_file.c.
 *
 * ERRORS As gateway/table_reader.h.
 */
#ifndef GATEWAY_TABLE_OPTIONS_H
#define GATEWAY_TABLE_OPTIONS_H

#include "gateway/table_reader.h"

/* Into `e`, which has its defaults. The caller knows the keys (reader_known_keys()). */
void table_options_read(struct table_reader *r, const json_t *from, struct table_environment *e);

#endif
