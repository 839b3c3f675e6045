/* One ledger with every act of docs/entries.md in it, for tests of order, damage and fuzzing's
 * corpus. The index of an entry is its place in the list. */
#ifndef CATALOG_STORY_H
#define CATALOG_STORY_H

static const char *const story[] = {
    /* 0 */ "{'act':'vault.create','vault':'00ff','origin':'strongroom.local/00ff','agency':'局'}",
    /* 1 */ "{'act':'keys.page','page':0,'generation':1,'sha256':'#90'}",
    /* 2 */ "{'act':'keys.page','page':1,'generation':1,'sha256':'#91'}",
    /* 3 */ "{'act':'slot.add','slot':'00112233','label':'first','sha256':'#92'}",
    /* 4 */ "{'act':'slot.add','slot':'44556677','label':'','sha256':'#93'}",
    /* 5 */ "{'act':'slot.remove','slot':'00112233','label':'first'}",
    /* 6 */ "{'act':'keys.page','page':1,'generation':2,'sha256':'#94'}",
    /* 7 */ "{'act':'unlock','slot':'44556677'}",
    /* 8 */
    "{'act':'policy.load','uid':0,'files':[{'file':'workflow.yaml','sha256':'#95'}]}",
    /* 9 */
    "{'act':'user.add','uid':20000,'account':'officer','name':'张三','roles':['officer']}",
    /* 10 */
    "{'act':'user.add','uid':20000,'account':'officer','name':'张三丰','roles':['head','officer']}",
    /* 11 */ "{'act':'year.open','year':2026,'uid':20000}",
    /* 12 */
    "{'act':'case.open','year':2026,'name':'示例〔2026〕1号','stages':['01受理','02取证'],"
    "'drafts':'草稿','provisional':true,'uid':20000,'client':'10.0.0.1'}",
    /* 13 */
    "{'act':'folder.make','parent':'$12+2','name':'新建文件夹','uid':20000,'kind':'folder'}",
    /* 14 */ "{'act':'folder.rename','node':'$13','parent':'$12+2','name':'现场','uid':20000}",
    /* 15 */ "{'act':'folder.make','parent':'$13','name':'gone','uid':20000,'kind':'folder'}",
    /* 16 */ "{'act':'folder.make','parent':'4','name':'张三','uid':20000,'kind':'unfiled_user'}",
    /* 17 */
    "{'act':'folder.make','parent':'$16','name':'2026-01-01','uid':20000,'kind':'unfiled_date'}",
    /* 18 */
    "{'act':'record.create','object':'@1','key':'65537','private':{'parent':'$13','name':'a.part',"
    "'uid':20000,'client':'10.0.0.1','draft':false,'junk':true}}",
    /* 19 */
    "{'act':'record.rename','object':'@1','key':'65537','node':'$18','private':{'parent':'$13',"
    "'name':'VID_2026.mp4','uid':20000,'draft':false,'junk':false}}",
    /* 20 */ "{'act':'record.close','object':'@1','key':'65537','size':'10','mtime':'5'}",
    /* 21 */ "{'act':'record.reopen','object':'@1','key':'65537'}",
    /* 22 */ "{'act':'record.close','object':'@1','key':'65537','size':'4096','mtime':'-7'}",
    /* 23 */
    "{'act':'record.seal','object':'@1','key':'65537','size':'4096','sha256':'#1','tag_root':'#2',"
    "'header_sha256':'#3','mtime':'-7','state':'sealed','salvaged':false,'holes':[],"
    "'hole_count':0,'empty':false}",
    /* 24 */
    "{'act':'record.create','object':'@2','key':'65538','private':{'parent':'$12+2','name':"
    "'笔录.docx','uid':20000,'client':'','draft':false,'junk':false}}",
    /* 25 */
    "{'act':'record.version','object':'@3','key':'65539','node':'$24','previous':'@2',"
    "'private':{'uid':20000,'client':''}}",
    /* 26 */
    "{'act':'record.seal','object':'@2','key':'65538','size':'7','sha256':'#4','tag_root':'#5',"
    "'header_sha256':'#6','mtime':'1','state':'sealed','salvaged':false,'holes':[],"
    "'hole_count':0,'empty':false}",
    /* 27 */
    "{'act':'record.seal','object':'@3','key':'65539','size':'70000','sha256':'#7','tag_root':'#8',"
    "'header_sha256':'#9','mtime':'2','state':'incomplete','salvaged':true,"
    "'holes':[['0','65536']],'hole_count':1,'empty':false}",
    /* 28 */
    "{'act':'record.version','object':'@4','key':'65540','node':'$24','previous':'@3',"
    "'private':{'uid':20000,'client':''}}",
    /* 29 */
    "{'act':'record.discard','object':'@4','key':'65540','node':'$24','private':{'uid':20000,"
    "'name':'笔录.docx','parent':'$12+2'}}",
    /* 30 */
    "{'act':'record.create','object':'@5','key':'65541','private':{'parent':'$17','name':'b.mp4',"
    "'uid':20000,'client':'','draft':false,'junk':false}}",
    /* 31 */
    "{'act':'record.seal','object':'@5','key':'65541','size':'0','sha256':'#10','tag_root':'#11',"
    "'header_sha256':'#12','mtime':'3','state':'sealed','salvaged':false,'holes':[],"
    "'hole_count':0,'empty':true}",
    /* 32 */
    "{'act':'record.file','object':'@5','key':'65541','node':'$30','private':{'parent':'$12+1',"
    "'name':'c.mp4','uid':20000,'reason':'','from_parent':'$17','from_name':'b.mp4',"
    "'again':false}}",
    /* 33 */
    "{'act':'record.file','object':'@5','key':'65541','node':'$30','private':{'parent':'$13',"
    "'name':'c.mp4','uid':20000,'reason':'归错','from_parent':'$12+1','from_name':'c.mp4',"
    "'again':true}}",
    /* 34 */
    "{'act':'record.incomplete','object':'@5','key':'65541','node':'$30','private':{'uid':20000,"
    "'reason':'无声'}}",
    /* 35 */
    "{'act':'record.create','object':'@6','key':'65542','private':{'parent':'$12+255','name':"
    "'x.tmp','uid':20000,'client':'','draft':true,'junk':true}}",
    /* 36 */
    "{'act':'record.discard','object':'@6','key':'65542','node':'$35','private':{'uid':20000,"
    "'name':'x.tmp','parent':'$12+255'}}",
    /* 37 */
    "{'act':'refuse','uid':20000,'op':'unlink','reason':'sealed','node':'$18','client':'10.0.0.1',"
    "'count':3,'until':'1767225700000000000'}",
    /* 38 */
    "{'act':'refuse','uid':20000,'op':'create','reason':'name_twin','name':'A.mp4','client':'',"
    "'count':1,'until':'1767225638000000000'}",
    /* 39 */ "{'act':'alert','kind':'damage','object':'@1','detail':'segment 3'}",
    /* 40 */ "{'act':'checkpoint.note','size':'40','sha256':'#96'}",
    /* 41 */
    "{'act':'record.create','object':'@7','key':'65543'}", /* its record key is destroyed */
    /* 42 */
    "{'act':'record.create','object':'@8','key':'65544','private':{'parent':'$13','name':"
    "'VID_2026.mp4','uid':20000,'client':'','draft':false,'junk':false}}",
    /* 43 */
    "{'act':'record.seal','object':'@8','key':'65544','size':'4096','sha256':'#1','tag_root':'#2',"
    "'header_sha256':'#3','mtime':'-7','state':'sealed','salvaged':false,'holes':[],"
    "'hole_count':0,'empty':false}",
    /* 44 */ "{'act':'folder.remove','node':'$15','uid':20000}",
    /* 45 */ "{'act':'shutdown'}",
    /* 46 */
    "{'act':'user.add','uid':20001,'account':'li','name':'李四','roles':['officer'],"
    "'unit':'执法一科','first':'Thu, 26 Nov 2026 17:46:06 UTC'}",
    /* 47 */
    "{'act':'user.set','uid':20000,'name':'张三丰','roles':['head'],'unit':'局机关','clearance':2,"
    "'badge':'0510-7','badge_from':'2024-02-29','badge_until':'2029-02-28','by':20002}",
    /* 48 */
    "{'act':'case.open','year':2026,'name':'二号','stages':['01受理'],'drafts':'草稿',"
    "'provisional':false,'uid':20001,'client':'','unit':'执法一科','lead':[20001]}",
    /* 49 */
    "{'act':'case.assign','node':'$48','lead':[20000],'helpers':[20001],'reason':'轮岗',"
    "'uid':20000}",
    /* 50 */ "{'act':'case.transfer','node':'$48','unit':'执法二科','reason':'移交','uid':20000}",
    /* 51 */
    "{'act':'classify','node':'$12','level':1,'until':'','marks':['work_secret'],'approver':'',"
    "'reason':'内部案件','uid':20000}",
    /* 52 */
    "{'act':'classify','object':'@1','key':'65537','node':'$18','level':2,'until':'2036-01-01',"
    "'marks':['covert','privacy'],'private':{'uid':20000,'reason':'暗访','approver':'王局'}}",
    /* 53 */
    "{'act':'classify','object':'@7','key':'65543','node':'$41','level':1,'until':'',"
    "'marks':[]}", /* its record key is destroyed */
    /* 54 */ "{'act':'user.disable','uid':20001,'reason':'调离','by':20000}",
    /* 55 */
    "{'act':'view.grant','node':'$12','uid':20001,'by':20000,'until':'1800000000000000000',"
    "'purpose':'复核'}",
    /* 56 */
    "{'act':'view.grant','object':'@1','key':'65537','node':'$18','uid':20000,'by':20000,"
    "'until':'1900000000000000000','private':{'purpose':'会商'}}",
    /* 57 */
    "{'act':'record.view','object':'@1','key':'65537','node':'$18','uid':20000,'client':'10.0.0.9',"
    "'grant':'56','day':'2026-03-05','opens':2,'from':'1772600000000000000',"
    "'until':'1772600009000000000','coarse':false,'ranges':[['0','65536'],['131072','131073']]}",
    /* 58 */ "{'act':'view.end','grant':'55','by':20000}",
    /* 59 */
    "{'act':'view.grant','object':'@7','key':'65543','node':'$41','uid':20000,'by':20000,"
    "'until':'1900000000000000000'}", /* its record key is destroyed */
                                      /* 60 */
    "{'act':'user.password','uid':20000,'by':20001,'first':'Fri, 27 Nov 2026 01:00:00 UTC'}",
    /* 61 */ "{'act':'user.password','uid':20000,'by':20000,'first':''}",
    /* 62 */
    "{'act':'record.index','object':'@1','key':'65537','node':'$18','outcome':'described','rules':"
    "1,"
    "'text':{'object':'@20','key':'65560','size':'90','sha256':'#20','tag_root':'#21',"
    "'header_sha256':'#22'},'private':{'media':{'type':'application/x-strongroom-labels'},"
    "'labels':[{'label':'captured','value':'2026-01-02T03:04:05+08:00','source':'name'},"
    "{'label':'place','value':'32.433700,105.820000','source':'media'}]}}",
    /* 63 */
    "{'act':'record.label','object':'@1','key':'65537','node':'$18','private':{'uid':20000,"
    "'source':'list','file':'$24','labels':[{'label':'person','value':'张三'},"
    "{'label':'summary','value':'承认','offset_ms':'750000'},{'label':'proves','value':''}]}}",
    /* 64 */
    "{'act':'record.enter','object':'@1','key':'65537','node':'$18','case':'$12','series':'2.13',"
    "'number':'1'}",
    /* 65 */
    "{'act':'record.label','object':'@5','key':'65541','node':'$30'}", /* its key is destroyed */
    /* 66 */
    "{'act':'record.archive','object':'@1','key':'65537','node':'$18','series':'X043-XZ2D·2026-Y-"
    "JC',"
    "'number':'1','digits':4,'private':{'uid':20000,'reason':''}}",
    /* 67 */
    "{'act':'record.archive','object':'@5','key':'65541','node':'$30','series':'X043-XZ·2026-Y-JC',"
    "'number':'1','digits':4}", /* its key is destroyed */
    /* 68 */
    "{'act':'retention.set','node':'$12','category':'重要案件','months':360,'uid':20000,'reason':"
    "'社会影响大'}",
    /* 69 */
    "{'act':'retention.extend','object':'@1','key':'65537','node':'$18','until':'2090-01-01',"
    "'private':{'uid':20000,'reason':'诉讼未结'}}",
    /* 70 */ "{'act':'retention.extend','node':'$12','until':'','uid':20000,'reason':'永久'}",
};
#define STORY_LEN (sizeof(story) / sizeof(story[0]))

#endif
