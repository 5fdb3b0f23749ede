/* Raise the loopback interface without netlink, so that static programs can; see netns.h. */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "netns/netns.h"

struct err *net_loopback_up(void)
{
	/* AF_UNIX works where neither IPv4 nor IPv6 is built in: interface ioctls do not depend on
	 * the family. */
	OWN(fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	if (fd < 0)
		return err_sys(errno, "make a socket for interface lo");
	/* Known start: a fresh namespace's lo has no flag but IFF_LOOPBACK, and the kernel ignores
	 * that one on set. */
	request.ifr_flags = IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_sys(errno, "raise interface lo");
	return NULL;
}
