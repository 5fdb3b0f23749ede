/* The guard as a whole: one transaction for all its tables, tried again when others changed rules
 * meanwhile. See guard.h. */
#include "netns/guard.h"

#include <errno.h>

#include "netns/guard_port.h"
#include "netns/shape.h"

#define TRIES 50

/* What a transaction is made of. */
struct guard_work {
	struct err *(*add)(struct nft *nft, const struct guard_work *work);
	const struct net_guard *guard;
	const char *host_name;
	uint32_t ifb;
	enum guard_home home;
	enum guard_device device;
};

static struct err *run(const struct guard_work *work)
{
	OWN(nft) struct nft nft = { 0 };

	TRY(nft_open(&nft));
	for (int i = 1;; i++) {
		struct err *err;

		TRY(nft_begin(&nft));
		err = work->add(&nft, work);
		if (!err)
			err = nft_commit(&nft);
		if (!err || err_errno(err) != EAGAIN || i == TRIES)
			return err;
		err_drop(err); /* again, on what the others made */
	}
}

static struct err *add_set(struct nft *nft, const struct guard_work *work)
{
	bool was_there;

	TRY(guard_port_set(nft, work->guard, work->ifb, work->home, &was_there));
	return guard_host_set(nft, work->guard, was_there);
}

struct err *net_guard_set(const struct net_guard *guard)
{
	struct guard_work work = { .add = add_set, .guard = guard };
	struct err *err;

	TRY(net_name_check(guard->host_name));
	err = shape_set(guard->host_name, &guard->rate, &work.ifb);
	if (!err)
		err = run(&work);
	if (err && err_kind(err) == ERR_EXISTS) { /* an old kernel; or it is said again */
		err_drop(err);
		work.home = GUARD_HOME_OWN;
		err = run(&work);
	}
	if (!err && !work.ifb) /* now that nothing is forwarded to it */
		err = shape_remove_ifb(guard->host_name);
	return err_wrap(err, "guard interface %s", guard->host_name);
}

struct err *net_guard_check(const struct net_port *port, bool *ret_whole)
{
	OWN(nft) struct nft nft = { 0 };

	TRY(net_name_check(port->host_name));
	TRY(nft_open(&nft));
	TRY(guard_port_check(&nft, port->host_name, ret_whole));
	return *ret_whole ? guard_host_check(&nft, port, ret_whole) : NULL;
}

struct services_work {
	struct guard_work work;
	const struct net_service *services;
	size_t count;
};

static struct err *add_services(struct nft *nft, const struct guard_work *work)
{
	const struct services_work *services = (const void *)work;

	return guard_host_services(nft, services->services, services->count);
}

struct err *net_guard_services(const struct net_service *services, size_t count)
{
	const struct services_work work = { { .add = add_services }, services, count };

	return err_wrap(run(&work.work), "open services to containers");
}

static struct err *add_remove(struct nft *nft, const struct guard_work *work)
{
	TRY(guard_port_remove(nft, work->host_name, work->device));
	return guard_host_remove(nft, work->host_name);
}

struct err *net_guard_remove(const char *host_name)
{
	struct guard_work work = { .add = add_remove, .host_name = host_name };
	struct err *err;

	TRY(net_name_check(host_name));
	err = run(&work);
	if (err && err_kind(err) == ERR_NOT_FOUND) { /* it had left the chains already */
		err_drop(err);
		work.device = GUARD_DEVICE_GONE;
		err = run(&work);
	}
	if (!err)
		err = shape_remove_ifb(host_name);
	return err_wrap(err, "remove the guard of interface %s", host_name);
}

#define ETHERNET_BYTES 14

struct err *net_guard_traffic(const char *host_name, struct net_traffic *ret_traffic)
{
	OWN(nft) struct nft nft = { 0 };
	struct net_traffic traffic;

	TRY(net_name_check(host_name));
	TRY(nft_open(&nft));
	TRY(guard_port_traffic(&nft, host_name, &traffic));
	/* what comes in has lost its Ethernet header before the hook; what goes out has it */
	traffic.out_bytes += traffic.out_packets * ETHERNET_BYTES;
	*ret_traffic = traffic;
	return NULL;
}
