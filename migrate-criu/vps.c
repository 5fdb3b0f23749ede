/* The memory of a VPS: what vps_suspend() and vps_resume() have CRIU do. */
#include "migrate-criu/obstacles.h"
#include "migrate-criu/place.h"

/* A deleted file that a process has open goes into the images up to this size. */
#define GHOST_LIMIT_BYTES (UINT32_C(1) << 30)

static struct cr_options options_of(const struct vps_images *images)
{
	return (struct cr_options){
		.image_path = images->path,
		.work_path = images->log_path,
		.tcp_established = true,
		.file_locks = true,
		.link_remap = true,
		.ghost_limit_bytes = GHOST_LIMIT_BYTES,
	};
}

static struct err *write_memory(const struct vps_images *images, struct spec *spec,
				struct err *(*written)(void *arg), void *arg)
{
	const struct cr_options options = options_of(images);
	const struct cr_extra extra = {
		.lock_fd = images->lock_fd, .umask_bits = 077, .written = written, .arg = arg
	};
	OWN(ct_hold) struct ct_hold hold = CT_HOLD_INIT;

	TRY(ct_hold(images->root, images->name, spec, &hold));
	TRY(cr_check_processes(&hold.cgroup, hold.state.pid));
	return cr_dump(&hold, &options, &extra);
}

/* CRIU makes both ends of a cable; the host's is told by its name. */
static struct err *name_cables(const struct net_ports *ports, struct strlist *external)
{
	for (size_t i = 0; i < ports->count; i++)
		TRY(strlist_format(external, "veth[%s]:%s", ports->items[i].name,
				   ports->items[i].host_name));
	return NULL;
}

static struct err *read_memory(const struct vps_images *images, const struct ct_create *request,
			       const struct net_ports *ports, struct ct_started *ret_started)
{
	const struct cr_options options = options_of(images);
	OWN(strlist) struct strlist cables = { 0 };
	const struct cr_extra extra = { .lock_fd = images->lock_fd, .external = &cables };

	TRY(name_cables(ports, &cables));
	return cr_revive(images->root, request, &options, &extra, ret_started);
}

const struct vps_memory cr_vps_memory = {
	.check = criu_check_host,
	.look = cr_check_processes,
	.write = write_memory,
	.read = read_memory,
};
