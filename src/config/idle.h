/* SPDX-License-Identifier: Apache-2.0
 *
 * idle - keys that would have nothing to do: each is refused where it stands, with what it needs.
 *
 * WHAT  Whoever writes a key believes that it is in force. So one that counts only beside another is an error without
 *       it. What the top of the file says must count in one environment at least; what an environment writes, there.
 *       `off` makes nothing idle: its settings wait until it is on again.
 *
 * HOW   Called as check_app() is, and for files only: the resolved text of a release has every default in it, and one
 *       that an older davit accepted must still be read.
 */
#ifndef CONFIG_IDLE_H
#define CONFIG_IDLE_H

#include "config/app.h"
#include "config/reader.h"
#include "config/yaml.h"

void check_idle(struct reader *r, const struct yaml_node *root, const struct app *app);

#endif
