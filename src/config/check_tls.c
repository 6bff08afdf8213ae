/* SPDX-License-Identifier: Apache-2.0
 * check_tls - see check.h for the contract. */
#include <string.h>

#include "config/check.h"

bool check_has_tls(const struct app_environment *environment)
{
	return environment->tls.certificate || environment->tls.acme.email;
}

static uint32_t named_hosts(const struct app_environment *environment)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < environment->route_count; i++)
		count += environment->routes[i].host != NULL;
	return count;
}

void check_tls(struct reader *r, const struct yaml_node *node,
	       const struct app_environment *environment)
{
	const struct app_tls *tls = &environment->tls;
	const struct yaml_node *at = yaml_get(node, "tls");
	if (!at)
		return;
	if (tls->acme.email && named_hosts(environment) == 0)
		reader_error(r, yaml_get(at, "acme"),
			     "No host is known to order a certificate for; add for example "
			     "\"routes: [{ host: shop.example.com }]\" to environment \"%s\".",
			     environment->name);
	if (tls->acme.email && tls->acme.challenge == APP_CHALLENGE_HTTP && !tls->redirect)
		reader_error(
			r, yaml_get(at, "acme"),
			"The authority asks at port 80 whether the hosts are yours; add "
			"\"redirect: 0.0.0.0:80\", or \"challenge: tls-alpn-01\" to \"acme\".");
	if (tls->redirect && environment->listen && strcmp(tls->redirect, environment->listen) == 0)
		reader_error(r, yaml_get(at, "redirect"),
			     "%s is where HTTPS is served; redirect at another port, such as "
			     "0.0.0.0:80.",
			     tls->redirect);
}

void check_redirects(struct reader *r, const struct yaml_node *all, const struct app *app)
{
	for (uint32_t i = 0; i < app->environment_count; i++)
		for (uint32_t k = 0; k < app->environment_count; k++) {
			const struct app_environment *a = &app->environments[i],
						     *b = &app->environments[k];
			if (i == k || !a->tls.redirect || !b->listen || !check_has_tls(b) ||
			    strcmp(a->tls.redirect, b->listen) != 0)
				continue;
			reader_error(r,
				     yaml_get(yaml_get(yaml_get(all, a->name), "tls"), "redirect"),
				     "Environment \"%s\" serves HTTPS at %s; redirect at another "
				     "address.",
				     b->name, b->listen);
		}
}
