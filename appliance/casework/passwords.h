/* Passwords of the share. They are Samba's, in its own database; the ledger says when somebody was given a
 * first one, and when they had changed it. Private to casework/. */
#ifndef SR_CASEWORK_PASSWORDS_H
#define SR_CASEWORK_PASSWORDS_H

#include <stdint.h>

#include "catalog/catalog.h"

struct door;
struct door_actor;

/* Lock-out after failures, length, history: Samba forgets them when its state on tmpfs goes, so they are set
 * at every start. What fails is logged. */
void passwords_policy(const char *smb_conf);
/* When the account's password was set last, as Samba says it (its resolution is a second): two that differ
 * are two passwords. SR_ERR_NOT_FOUND. */
int passwords_stamp(const char *account, const char *smb_conf, char out[CATALOG_STAMP_MAX + 1]);
/* The same of a password that was set just now; returns when that second is over, so that whatever is set from
 * then on differs. */
int passwords_stamp_first(const char *account, const char *smb_conf,
                          char out[CATALOG_STAMP_MAX + 1]);
/* Gives a first password, and ends a lock-out. */
int passwords_reset(const char *account, const char *password, const char *smb_conf);

/* When user, who comes through the mount, had a first password: has it been changed since? Then that goes on
 * record, and they are told from others no more. door->lock not held. */
void passwords_look(struct door *door, struct catalog_user *user);

#endif
