/* ipaddr values: an IPv4 or IPv6 address with a prefix length. */
#ifndef SR_POLICY_CEDAR_IP_H
#define SR_POLICY_CEDAR_IP_H

#include "policy/cedar_value.h"

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::1", "2001:db8::/32". No leading zeros in IPv4 numbers and
 * prefixes, no IPv4 within IPv6. false when text is none of these. */
bool cedar_ip_parse(const char *text, size_t len, struct cedar_ip *out);
bool cedar_ip_is_loopback(const struct cedar_ip *ip);  /* within 127.0.0.0/8, or ::1 */
bool cedar_ip_is_multicast(const struct cedar_ip *ip); /* within 224.0.0.0/4 or ff00::/8 */
/* Whether all addresses of ip are among those of range. Never across versions. */
bool cedar_ip_in_range(const struct cedar_ip *ip, const struct cedar_ip *range);

#endif
