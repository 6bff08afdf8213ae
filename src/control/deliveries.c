/* SPDX-License-Identifier: Apache-2.0
 * deliveries - see deliveries.h for the contract. */
#include "control/deliveries.h"

#include "base/text.h"
#include "control/environment.h"
#include "store/audit.h"
#include "store/deliveries.h"

int control_take_delivery(struct control *c, const struct control_caller *caller, const char *app,
			  const struct digest *body, const char *about, struct error *err)
{
	int found = store_delivery_find(c->parts.store, app, body, err);
	if (found != 0)
		return found < 0 ? found
				 : error_set(err, ERR_CONFLICT,
					     "This request was taken before; nothing is started by "
					     "it again.");
	uint64_t now = env_wall_ms(c->parts.env);
	struct store_audit_entry audit = {.at_unix_ms = now};
	text_copy(audit.who, sizeof audit.who, caller->who);
	text_copy(audit.action, sizeof audit.action, "webhook.taken");
	text_copy(audit.app, sizeof audit.app, app);
	text_copy(audit.evidence, sizeof audit.evidence, about);
	control_begin(c, false);
	store_add_delivery(c->parts.store, app, body, now);
	store_add_audit(c->parts.store, &audit);
	return control_commit(c, err);
}
