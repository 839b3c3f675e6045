/* 按对象 and 按日期: for each person one folder for every 执法对象, and for every day of 采集时间, of which they may see
 * at least one record (R7). In 按对象/X lies a link to each case in which such a record bears X (the whole case, text and
 * recordings) and one to each such record; in 按日期/D one to each record. Nothing of it stands in a table, and nothing can
 * be put there.
 *
 * Flat, so that every link leads to ../../PATH whatever folder it stands in: its id is that of the case or record with
 * GATHER_LINK_BIT, and its attributes need not know the folder. Ids of folders are GATHER_SUBJECT_BIT with the subject's
 * key, GATHER_DAY_BIT with the day. Ids of the ledger are below all of them for the first 2^51 entries.
 *
 * Names are the records' own. Among what this person sees in the folder, those that differ only in case or Unicode form
 * get the name of their case （2026年1号） before the extension, cases their year; and if that is not enough
 * 〔同名N〕, a form that nobody can give (sibling.h), N being of the node: so a name says nothing of what else there
 * is. A folder is read whole, some tens of microseconds for each record in it;
 * what was read of a larger one is kept for a second and until the next entry of the ledger, and each link that is
 * found in it is asked about again. Private to casework/. */
#ifndef SR_CASEWORK_GATHER_H
#define SR_CASEWORK_GATHER_H

#include "casework/door_internal.h"

#define GATHER_LINK_BIT (UINT64_C(1) << 61)
#define GATHER_SUBJECT_BIT (UINT64_C(1) << 60)
#define GATHER_DAY_BIT (UINT64_C(1) << 59)

bool gather_is_link(uint64_t node);
/* 按对象, 按日期, or a folder in one of them. */
bool gather_is_folder(uint64_t node);
/* In a folder of gather_is_folder; SR_ERR_NOT_FOUND. */
int gather_find(struct door *door, const struct catalog_user *user, uint64_t parent,
                const char *name, struct catalog_node *out);
/* Of a link or a folder in 按对象 or 按日期; SR_ERR_NOT_FOUND. A link has no name then. */
int gather_get(struct door *door, const struct catalog_user *user, uint64_t node,
               struct catalog_node *out);
/* As door_readdir, of gather_is_folder. */
int gather_list(struct door *door, const struct catalog_user *user, uint64_t folder, uint64_t after,
                catalog_node_fn *fn, void *context);
/* Where a link leads: "../../2026/案/02调查取证/a.mp4". */
int gather_target(struct door *door, const struct catalog_user *user, uint64_t link,
                  struct sr_buf *out);
/* Records that nothing changes there, in folder or link node, and returns SR_ERR_SEALED. name NULL: of itself. */
int gather_refuse(struct door *door, const struct door_actor *actor, const char *op, uint64_t node,
                  const char *name);
void gather_free(struct door *door);

#endif
