/* NETIF: what is parsed and fits together is written so that it parses to the same again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/vps/netif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWN(net_ports) struct net_ports ports = { 0 }, again = { 0 }, added = { 0 };
	OWN(buf) struct buf text = { 0 }, first = { 0 }, second = { 0 };

	if (buf_add(&text, data, size))
		return 0;
	err_drop(netif_parse_add("fuzz", text.data, &added)); /* most inputs are refused */
	struct err *err = netif_parse("fuzz", text.data, &ports);

	if (!err)
		err = netif_check("fuzz", &ports);
	if (!err)
		err = netif_format(&ports, &first);
	if (err || !first.data) {
		err_drop(err); /* as above */
		return 0;
	}
	if (netif_parse("fuzz", first.data, &again) || netif_format(&again, &second) ||
	    strcmp(first.data, second.data) != 0)
		abort();
	return 0;
}
