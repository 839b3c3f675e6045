/* Labels in YAML: 标签.yaml, <file>.label.yaml. Private to labelfile.c.
 *
 *   采集地点: 利州区东坝街道        # of everything beside the file (or of the file it is named after)
 *   对话:
 *     - {时刻: "00:12:30", 人员: 张三, 身份: 店主, 主要内容: 承认无证经营}
 *   文件:                           # 标签.yaml: of single files
 *     VID_1.mp4: {采集人: "川H001", 证明对象: 无证经营}
 *
 * or a list of such mappings, each with 文件名. */
#ifndef SR_MEDIA_PROBE_LABELYAML_H
#define SR_MEDIA_PROBE_LABELYAML_H

#include "media/probe/labelrows.h"

void labelyaml_read(const char *text, size_t len, struct labelrows *rows);

#endif
