/* The guard as a whole: one transaction for all its tables, tried again when others changed rules
 * meanwhile. See guard.h. */
#include "netns/guard.h"

#include <errno.h>
#include <stdlib.h>

#include "netns/guard_port.h"
#include "netns/shape.h"

#define TRIES 50

static void own_members(struct guard_member **members)
{
	free(*members);
}

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

struct classes_work {
	struct guard_work work;
	const struct net_classes *classes;
};

static struct err *add_classes(struct nft *nft, const struct guard_work *work)
{
	return guard_port_set_classes(nft,
				      ((const struct classes_work *)(const void *)work)->classes);
}

struct err *net_guard_classes(const struct net_classes *classes)
{
	const struct classes_work work = { { .add = add_classes }, classes };

	return err_wrap(run(&work.work), "count traffic by classes");
}

struct err *net_guard_list(struct strlist *host_names)
{
	OWN(strlist) struct strlist ports = { 0 }, routed = { 0 };
	OWN(nft) struct nft nft = { 0 };
	bool whole;

	TRY(nft_open(&nft));
	TRY(guard_port_tables_check(&nft, &whole));
	if (!whole)
		return NULL;
	TRY(guard_port_names(&nft, &ports));
	TRY(guard_host_names(&nft, &routed));
	for (size_t i = 0; i < ports.count; i++)
		if (strlist_has(&routed, ports.items[i]))
			TRY(strlist_add(host_names, ports.items[i]));
	return NULL;
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

/* --- another version's tables --- */

struct err *net_guard_is_current(bool *ret_current)
{
	OWN(nft) struct nft nft = { 0 };

	TRY(nft_open(&nft));
	TRY(guard_port_is_current(&nft, ret_current));
	return *ret_current ? guard_host_is_current(&nft, ret_current) : NULL;
}

struct renew_work {
	struct guard_work work;
	const struct net_guard *const *guards;
	size_t count;
	const struct net_service *services;
	size_t service_count;
};

static struct err *find_member(const struct renew_work *renew, const char *name,
			       struct guard_member *ret_member)
{
	*ret_member = (struct guard_member){ .name = name };
	for (size_t i = 0; i < renew->count; i++)
		if (str_eq(renew->guards[i]->host_name, name))
			ret_member->guard = renew->guards[i];
	if (ret_member->guard && ret_member->guard->rate.out_bits_per_s)
		TRY(shape_find_ifb(name, &ret_member->ifb));
	return NULL;
}

static struct err *add_members(struct nft *nft, const struct renew_work *renew,
			       const struct strlist *names, size_t shared_count)
{
	OWN(members) struct guard_member *members = calloc(names->count + 1, sizeof(*members));

	if (!members)
		return err_sys(ENOMEM, "keep the ports of the guard");
	for (size_t i = 0; i < names->count; i++) {
		TRY(find_member(renew, names->items[i], &members[i]));
		members[i].is_shared = i < shared_count;
	}
	TRY(guard_port_renew(nft, members, names->count));
	TRY(guard_host_renew(nft, members, names->count));
	guard_host_fill_services(nft, renew->services, renew->service_count);
	return NULL;
}

static struct err *add_renewal(struct nft *nft, const struct guard_work *work)
{
	OWN(strlist) struct strlist names = { 0 }, guarded = { 0 };
	size_t shared_count;

	TRY(guard_port_names(nft, &names));
	shared_count = names.count;
	TRY(guard_host_names(nft, &guarded));
	for (size_t i = 0; i < guarded.count; i++)
		if (!strlist_has(&names, guarded.items[i]))
			TRY(strlist_add(&names, guarded.items[i]));
	return add_members(nft, (const void *)work, &names, shared_count);
}

struct err *net_guard_renew(const struct net_guard *const *guards, size_t count,
			    const struct net_service *services, size_t service_count)
{
	const struct renew_work renew = {
		{ .add = add_renewal }, guards, count, services, service_count
	};

	return err_wrap(run(&renew.work), "replace the rules of another version of cella");
}

/* --- removing, counting --- */

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

struct err *net_guard_class_traffic(const char *host_name, uint32_t class,
				    struct net_traffic *ret_traffic)
{
	OWN(nft) struct nft nft = { 0 };
	struct net_traffic traffic;

	TRY(net_name_check(host_name));
	TRY(nft_open(&nft));
	TRY(guard_port_traffic(&nft, host_name, class, &traffic));
	/* what comes in has lost its Ethernet header before the hook; what goes out has it */
	traffic.out_bytes += traffic.out_packets * ETHERNET_BYTES;
	*ret_traffic = traffic;
	return NULL;
}

struct err *net_guard_traffic(const char *host_name, struct net_traffic *ret_traffic)
{
	return net_guard_class_traffic(host_name, 0, ret_traffic);
}
