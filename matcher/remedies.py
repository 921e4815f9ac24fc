"""What each issue of a round says: what happened, and how to mend it.

One entry per code of :class:`matcher.tables.Issue`, Chinese and English.  Placeholders: ``{table}``,
``{row}``, ``{column}``, ``{value}`` (the cell) and ``{limit}`` (what would have been right).  The
readers live in Excel; nothing here presents a default of ours as a regulation.
"""

from __future__ import annotations

REMEDIES: dict[str, tuple[str, str]] = {
    # --- files and their shape
    "missing_file": (
        "缺少文件 {value}。请把它放进这一轮的文件夹，文件名须完全一致。",
        "The file {value} is missing. Put it into the folder of the round under exactly this name.",
    ),
    "unknown_file": (
        "文件 {value} 不在约定的表里，无法判断用途。请改成约定的文件名，或移出文件夹。",
        "The file {value} is none of the tables. Rename it to one of them or take it out.",
    ),
    "spreadsheet": (
        "文件 {value} 是电子表格，这里只读 CSV，里面的内容没有读。请打开它，另存为“CSV UTF-8”，再把它移出文件夹。",
        "{value} is a spreadsheet; only CSV is read here, so nothing of it was. Save it as CSV UTF-8"
        " and take it out of the folder.",
    ),
    "missing_column": (
        "{table}缺少必填的“{column}”列。请在表头加上这一列并填好。",
        "{table} lacks the required column {column}. Add it to the header and fill it in.",
    ),
    "unknown_column": (
        "表头“{value}”不是约定的列名。请对照列名说明改正；只供自己看的列，列名前加 x_ 即可保留。",
        "{value} is no column of this table. Correct the name; for notes of your own, let it begin"
        " with x_.",
    ),
    "duplicate_column": (
        "表头里“{value}”出现了两次。请只保留一列。",
        "The column {value} stands twice in the header. Keep one.",
    ),
    "row_width": (
        "这一行有 {value} 格，表头有 {limit} 格。请检查是否多了或少了逗号，文字里含逗号的格子要加英文双引号。",
        "This row has {value} cells, the header {limit}. Look for a comma too many or too few; a cell"
        " with a comma needs double quotes.",
    ),
    "csv_syntax": (
        "从这一行起读不下去，通常是英文双引号没有成对。请改正后另存为“CSV UTF-8”。",
        "It cannot be read on from this row, mostly because of an unpaired double quote. Mend it and"
        " save as CSV UTF-8.",
    ),
    "no_header": (
        "{value} 是空的，第一行应是表头。请补上表头。",
        "{value} is empty; its first row should be the header. Add it.",
    ),
    "encoding_gbk": (
        "{value} 是 GBK 编码，须为 UTF-8。请在 Excel 里“另存为”，类型选“CSV UTF-8（逗号分隔）”。",
        "{value} is encoded in GBK and must be UTF-8. In Excel, save it as CSV UTF-8 (comma"
        " delimited).",
    ),
    "encoding": (
        "{value} 不是 UTF-8 编码。请用 Excel 重新打开原表，“另存为”选“CSV UTF-8（逗号分隔）”。",
        "{value} is not UTF-8. Open the original in Excel and save it as CSV UTF-8 (comma delimited).",
    ),
    # --- single cells
    "missing_value": (
        "“{column}”是空的，这里必须填。请补上。",
        "{column} is empty and must be filled in.",
    ),
    "unknown_code": (
        "“{value}”不是“{column}”的代码。请改填：{limit}。",
        "{value} is no code of {column}. Allowed: {limit}.",
    ),
    "full_width": (
        "“{value}”里有全角字符。请切换到英文输入法，用半角重新输入。",
        "{value} holds full-width characters. Type it again in half width.",
    ),
    "separator": (
        "“{value}”用了逗号、顿号或全角分号来分隔。多项之间请只用英文分号 ; 隔开。",
        "{value} is separated by commas or full-width marks. Separate entries by a single ;.",
    ),
    "formula": (
        "“{value}”以 = + - 或 @ 开头，电子表格会把它当成公式。请去掉开头的这个符号。",
        "{value} begins with = + - or @, which a spreadsheet takes for a formula. Remove that sign.",
    ),
    "whitespace": (
        "“{value}”里有空项或多余的空格。请删去空格；多项之间只用一个英文分号隔开。",
        "{value} holds an empty entry or a space too many. Delete it; separate entries by a single ;.",
    ),
    "forbidden_character": (
        "“{value}”里有竖线、分号或看不见的控制字符，代码和轮次名称里不能用。请删去或换掉。",
        "{value} holds |, ; or an invisible control character, which no id or round name may. Remove"
        " it.",
    ),
    "repeated_entry": (
        "“{value}”里有重复的项。请每项只写一次。",
        "An entry stands twice in {value}. Write each once.",
    ),
    "not_integer": (
        "“{value}”不是整数。请只填数字，例如 20，不带单位、小数或逗号。",
        "{value} is not a whole number. Give digits only, such as 20.",
    ),
    "negative": (
        "“{value}”是负数，这里不能小于 0。请改正。",
        "{value} is negative, which this cannot be. Correct it.",
    ),
    "not_number": (
        "“{value}”不是数。成绩请填数字（如 81.5）；分项成绩缺考填 absent，免考填 exempt。",
        "{value} is not a number. Write 81.5, say; for a component absent means 缺考, exempt 免考.",
    ),
    "too_large": (
        "“{value}”太大了，整数最多 9 位。请检查是否多输了数字。",
        "{value} is too large; whole numbers have at most 9 digits. Look for digits too many.",
    ),
    "too_long": (
        "“{value}”超过 15 位数字，无法精确比较。请减少小数位数。",
        "{value} has more than 15 digits and cannot be compared exactly. Use fewer decimals.",
    ),
    "not_date": (
        "“{value}”不是日期。请写成 2026-09-01 的样子；在 Excel 里把这一列设为“文本”再填。",
        "{value} is not a date. Write it like 2026-09-01; set the column to text in Excel first.",
    ),
    "not_flag": (
        "“{value}”应填 1（是）或 0（否）。请改正。",
        "{value} should be 1 (yes) or 0 (no).",
    ),
    # --- identity numbers
    "identity_scientific": (
        "证件号码“{value}”被 Excel 变成了科学记数，末尾几位已经丢失。请对照证件，把这一列设为“文本”后重新输入。",
        "Excel turned the identity number {value} into scientific notation and its last digits are"
        " lost. Set the column to text and type it again from the document.",
    ),
    "identity_format": (
        "证件号码“{value}”的格式不对。请对照证件：居民身份证 18 位；其他证件用大写字母和数字，并填好证件类型。",
        "The identity number {value} has the wrong form. A resident card has 18 characters; other"
        " documents capital letters and digits, with their type given.",
    ),
    "identity_date": (
        "证件号码“{value}”里的出生日期并不存在。请对照证件重新输入。",
        "The identity number {value} states a day of birth that does not exist. Type it again from the"
        " document.",
    ),
    "identity_check": (
        "证件号码“{value}”的校验位不对，多半有一位输错。请对照证件逐位核对。",
        "The check digit of {value} is wrong; a digit was probably mistyped. Compare it with the"
        " document.",
    ),
    "identity_demo": (
        "证件号码“{value}”是演示专用号段，不属于任何人。请核对；若本轮确为演示，规则里写 demo = true。",
        "{value} is of the demo's own range and belongs to nobody. Check it; if this is a demo round,"
        " say demo = true in the policy.",
    ),
    "identity_birth": (
        "出生日期填的是 {value}，证件号码里是 {limit}。请对照证件，改正填错的一个。",
        "The birth date says {value}, the identity number {limit}. Correct the one that is wrong.",
    ),
    "identity_sex": (
        "性别填的是 {value}，证件号码里是 {limit}（1 男，2 女）。请对照证件，改正填错的一个。",
        "The sex says {value}, the identity number {limit} (1 male, 2 female). Correct the one that is"
        " wrong.",
    ),
    "birth_out_of_range": (
        "出生日期“{value}”不可能是对的，应在 {limit} 之间。请对照证件改正。",
        "A birth date of {value} cannot be right; it lies in {limit}. Correct it from the document.",
    ),
    "unknown_group": (
        "人员类别“{limit}”没有在任何预留、年龄规则或类别代码表里出现，不会起作用。请核对代码；确实要用的可以不改。",
        "No reserve, age rule or code table speaks of the group {limit}, so it has no effect. Check the"
        " code; leave it if it is meant.",
    ),
    "no_interview": (
        "报了“{value}”，却没有面试成绩；不补就没有综合成绩，排在最后。请补录，或填缺考 absent、免考 exempt。",
        "{value} is listed but has no interview; without it the score stays blank and comes after all"
        " others. Enter it, or absent or exempt.",
    ),
    "duplicate_person": (
        "人员标识“{value}”在第 {limit} 行已有有效报名，一人只能一份。请核实，把另一份的“资格审核结论”填 duplicate。",
        "The person {value} already has a valid application in row {limit}, and may have one. Review"
        " the other as duplicate.",
    ),
    "duplicate_identity": (
        "证件号码“{value}”在第 {limit} 行已有有效报名，一人只能一份。请核实，把另一份的“资格审核结论”填 duplicate。",
        "The identity number {value} already has a valid application in row {limit}. Review the other"
        " as duplicate.",
    ),
    # --- lines that speak of others
    "duplicate_key": (
        "“{value}”前面已有一行。请核实保留哪一行，删去另一行。",
        "{value} stands in an earlier row already. Find out which is right and delete the other.",
    ),
    "unknown_reference": (
        "“{column}”里的“{value}”在{limit}里找不到。请核对代码，或先在那里补上。",
        "{value} in {column} is not found in {limit}. Correct the code, or add it there first.",
    ),
    "needed_column": (
        "有规则要看“{column}”，但{table}没有这一列。请加上并填好；确实不用的，删去班级或规则里的相应要求。",
        "A rule reads {column}, which {table} lacks. Add and fill it, or remove the requirement.",
    ),
    "no_programs": (
        "一个席位也没有，无从录取。请至少填一行席位。",
        "There is no program at all. Give at least one.",
    ),
    "ambiguous_id": (
        "“{value}”既是席位代码又是班级代码，而这个班不止这一个席位，志愿会有歧义。请改其中一个代码。",
        "{value} names a program and also a class with other programs, so a choice would be ambiguous."
        " Rename one.",
    ),
    "minor_without_date": (
        "标了“禁忌未成年工”，但班级没有实习或入职日期，无法判断届时年龄。请至少填一个日期。",
        "The post is forbidden to minors but its class gives neither internship nor hire date to judge"
        " the age at. Give one.",
    ),
    "min_above_capacity": (
        "最低开班人数 {value} 大于全班席位合计 {limit}，这个班永远开不了。请改小最低人数或增加席位。",
        "The minimum {value} exceeds the class's {limit} seats, so it could never open. Lower the"
        " minimum or add seats.",
    ),
    "class_without_programs": (
        "班级“{value}”没有任何席位，不会开班。若是漏填，请在席位表里补上。",
        "The class {value} has no program and will not open. Add its programs if they are missing.",
    ),
    "must_open_without_programs": (
        "班级“{value}”必须开班，却没有任何席位。请在席位表里补上席位，或把“必须开班”改为 0。",
        "The class {value} must open but has no program. Add its programs, or set must_open to 0.",
    ),
    "must_fill_without_seats": (
        "标了“必须录满”，但这一行预留 0 个席位，不起作用。请填席位数，或把这一格改为 0。",
        "The row must be filled but reserves 0 seats, so it has no effect. Give the seats, or set it to"
        " 0.",
    ),
    "age_without_basis": (
        "班级自定年龄限制 {value} 没有写依据。请填“年龄限制依据”，或删去这个限制。",
        "The class's own age limit {value} states no basis. Fill in age_basis or remove the limit.",
    ),
    "health_without_basis": (
        "身体条件“{value}”没有写职业上的依据。请填“身体条件依据”，或删去这个条件。",
        "The health condition {value} states no occupational basis. Fill in health_basis or remove it.",
    ),
    "cannot_open": (
        "受总量上限“{limit}”限制，这个班到不了最低开班人数 {value}。请调高上限或改小最低人数。",
        "The cap {limit} keeps this class below its minimum of {value}. Raise the cap or lower the"
        " minimum.",
    ),
    "cap_of_what": (
        "上限“{value}”应在院校、企业、席位三列中恰好填一列，现在填的是：{limit}。请只留一列。",
        "The cap {value} must fill exactly one of college, enterprise and programs; it fills: {limit}.",
    ),
    "cap_over_nothing": (
        "上限“{value}”下面没有任何席位，不起作用。请核对院校或企业代码。",
        "The cap {value} covers no program and has no effect. Check its college or enterprise.",
    ),
    "reserves_above_capacity": (
        "这个席位的预留合计超过席位数 {limit}（本行 {value}）。请减少预留或增加席位。",
        "The reserves of this program add up to more than its {limit} seats (this row: {value}). Reserve"
        " fewer.",
    ),
    "group_without_people": (
        "没有申请人属于人员类别“{value}”，这项预留用不上。请核对类别代码。",
        "No applicant is in the group {value}, so nobody can use this reserve. Check the code.",
    ),
    # --- choices
    "listed_twice": (
        "“{value}”填了两次，以靠前的志愿为准。可以删去后一个。",
        "{value} is listed twice; the first mention counts. The later one may be deleted.",
    ),
    "no_choices": (
        "报名号“{value}”没有填志愿。同意调剂的只参加调剂，不同意的不会被录取；若是漏填，请补上。",
        "The applicant {value} lists nothing: with consent only adjustment is left, without it nothing."
        " Add the choices if they are missing.",
    ),
    "listed_and_refused": (
        "“{value}”既在志愿里，又在“不接受的班级”里。请向本人核实，删去一处。",
        "{value} is both listed and refused. Ask the applicant and delete one.",
    ),
    "rank_gap": (
        "志愿序号跳到了 {value}，应为 {limit}。请补上中间的志愿，或依次改小序号。",
        "The choices jump to number {value} where {limit} is due. Add the missing one or renumber.",
    ),
    "too_many_choices": (
        "填了 {value} 个志愿，本轮规则最多 {limit} 个。请向本人核实后删去多余的。",
        "{value} choices are listed; the policy of this round allows {limit}. Ask the applicant which"
        " to delete.",
    ),
    # --- scores
    "program_or_channel": (
        "成绩应在席位和考核通道两列中恰好填一列，现在填的是：{value}。请只留一列。",
        "A score is for a program or for a channel, exactly one; filled in: {value}.",
    ),
    "score_out_of_range": (
        "成绩 {value} 不在本轮规则的范围 {limit} 内。请核对原始成绩单。",
        "The score {value} is outside the policy's range {limit}. Compare it with the original list.",
    ),
    "scores_are_choices": (
        "成绩列的 {limit} 行全都等于本人的志愿序号（如 {value}），像是贴错了列。请换成成绩；"
        "确系成绩时，规则里写 accept_ranks = true。",
        "All {limit} scores equal the applicants' own choice numbers (such as {value}): a wrong column"
        " was pasted. If they are scores indeed, say accept_ranks = true in the policy.",
    ),
    "scores_are_ranks": (
        "“{value}”的 {limit} 个成绩恰好是 1 到 {limit}，像是把名次贴进了成绩列，第一名会变成末位。"
        "请换成成绩；确系成绩时，规则里写 accept_ranks = true。",
        "The {limit} scores of {value} are exactly 1 to {limit}, like ranks pasted as scores, which put"
        " the best person last. If they are scores indeed, say accept_ranks = true in the policy.",
    ),
    "tie_declared_twice": (
        "同分比较写了两处：成绩表有 tie 列，规则里又指定了 {value}。请只保留一处。",
        "Tie-breaks are declared twice: tie columns here and {value} in the policy. Keep one.",
    ),
    "channel_without_weights": (
        "考核通道“{value}”在规则里没有权重，分项成绩无法合成。请补上权重，或直接填综合成绩。",
        "The channel {value} has no weights in the policy, so components cannot be composed. Add them"
        " or give final scores.",
    ),
    "score_and_components": (
        "综合成绩和分项成绩同时填了（{value}），不知以哪个为准。请只留一种。",
        "Both a final score and components are given ({value}). Keep one kind.",
    ),
    "score_incomplete": (
        "缺“{column}”，合不成综合成绩，将排在所有有成绩的人之后。漏录请补上，缺考填 absent，免考填 exempt。",
        "{column} is missing, so there is no composite and the person comes after all who have one. Add"
        " it, or write absent or exempt.",
    ),
    # --- decisions
    "rule_without_approval": (
        "写了放宽的规则“{value}”，但决定不是 approved。请改正决定，或清空这一格。",
        "A rule to set aside ({value}) stands beside a decision that is no approval. Correct one.",
    ),
    "decisions_conflict": (
        "同一人同一席位既有“{value}”又有别的决定。请核实，只留一个。",
        "There is {value} and another decision for the same person and program. Keep one.",
    ),
    "approval_without_basis": (
        "个案审批没有写依据。请填明批准单位和文号。",
        "The approval states no basis. Say who approved it, under which number.",
    ),
    # --- the policy
    "toml_syntax": (
        "规则文件读不下去：{value}。请检查该处的引号、方括号和等号。",
        "The policy cannot be read: {value}. Look at the quotes, brackets and equals signs there.",
    ),
    "unknown_key": (
        "规则里没有“{value}”这一项，写了也不会生效。请改正名称或删去。",
        "The policy knows no key {value}. Correct its name or delete it.",
    ),
    "policy_value": (
        "“{column}”的值“{value}”不合要求，应为：{limit}。请改正。",
        "{column} cannot be {value}; expected: {limit}.",
    ),
    "missing_key": (
        "用到了年龄，规则里却没有“{column}”。请补上，写法如 \"2026-09-01\"。",
        "Ages are used, but the policy lacks {column}. Add it, for example \"2026-09-01\".",
    ),
    "rank_before_placed": (
        "目标次序“{value}”把 rank 放在 placed 之前，会为了志愿好看而少录人。请把 placed 放到前面。",
        "The objective {value} puts rank before placed and would place fewer people to look better. Put"
        " placed first.",
    ),
    "rank_costs_decrease": (
        "志愿代价 {value} 必须从前到后不减，且不为负。请改正次序。",
        "The rank costs {value} must not be negative and must not decrease.",
    ),
    "tail_cheaper": (
        "末位志愿代价 {value} 大于调剂代价 {limit}，系统优化会宁可调剂。请调小代价，或调大 preferences.max。",
        "The last choice costs {value}, adjustment only {limit}, so the optimal plan prefers to adjust."
        " Lower the costs, or raise preferences.max.",
    ),
    "rank_costs_short": (
        "志愿代价只写了 {value} 个，而有人填到第 {limit} 志愿。请补足。",
        "There are {value} rank costs, but somebody lists a choice number {limit}. Add the missing"
        " ones.",
    ),
    "duplicate_age_rule": (
        "年龄规则“{value}”（类别 学习形式 层次）写了两条。请合并成一条。",
        "There are two age rules for {value} (group, study form, level). Merge them.",
    ),
    "relaxed_below_max": (
        "放宽后的上限 {value} 小于普通上限 {limit}，或没有写普通上限。请改正。",
        "The relaxed maximum {value} is below the ordinary one {limit}, or that is missing.",
    ),
    "max_below_min": (
        "上限 {value} 小于下限 {limit}，谁也不符合。请改正。",
        "The maximum {value} is below the minimum {limit}; nobody would pass.",
    ),
    "duplicate_channel": (
        "考核通道“{value}”的权重写了两次。请只保留一处。",
        "The weights of the channel {value} are given twice. Keep one.",
    ),
    "weights_sum": (
        "考核通道权重之和应为 {limit}，现在是 {value}。请调整各项权重。",
        "The weights of a channel must add up to {limit}; they do not: {value}.",
    ),
    # --- the draw
    "no_seed": (
        "没有摇号种子：既没有 draw.json，规则里也没有 [lottery] seed。正式轮次请放入公开摇号的 draw.json。",
        "There is no seed: neither draw.json nor [lottery] seed. A real round takes draw.json from its"
        " public draw.",
    ),
    "seed_twice": (
        "摇号种子写了两处：draw.json 和规则里的 {column}。有公开摇号时，请删去规则里的。",
        "There are two seeds: draw.json and {column} in the policy. With a public draw, delete the one"
        " in the policy.",
    ),
    "draw_syntax": (
        "draw.json 读不出来，应是一个 JSON 对象。请用摇号登记时生成的原文件。",
        "draw.json cannot be read as a JSON object. Use the file made when the draw was recorded.",
    ),
    "draw_value": (
        "摇号结果“{value}”不合要求：骰子为 20 位数字；快乐8 为期号和 20 个由小到大、各不相同的号码。请对照记录改正。",
        "The draw {value} is not valid: dice have 20 digits; 快乐8 an issue and 20 different ascending"
        " numbers. Compare it with the record of the draw.",
    ),
    "draw_seed": (
        "种子“{value}”与摇号结果、数据摘要算不到一起：数据在摇号之后改过，或种子抄错。请恢复锁定时的文件。",
        "The seed {value} does not follow from the draw and the digest: the data changed after the draw,"
        " or it was miscopied. Restore the frozen files.",
    ),
    # --- what is asked of a changed round
    "change_syntax": (
        "“{value}”看不懂。请写成 {column} {limit} 这样。",
        "{value} cannot be understood. Write it like {column} {limit}.",
    ),
    "change_full_width": (
        "“{value}”里有全角标点，看不懂。请改用半角的 ; , = + -。",
        "{value} has full-width punctuation and cannot be understood. Write ; , = + - instead.",
    ),
    "change_unknown": (
        "{column} 里的“{value}”在这一轮里没有。请核对代码。",
        "{value} in {column} is not in this round. Check the id.",
    ),
    "change_twice": (
        "对“{value}”写了两种不同的改动（{column}）。请只留一种。",
        "Two different changes are given for {value} ({column}). Keep one.",
    ),
    "change_in_vain": (
        "对“{value}”的改动（{column}）不起作用，因为还写了 {limit}。请去掉其中一个。",
        "The change to {value} ({column}) comes to nothing, as {limit} is given too. Drop one of them.",
    ),
    "change_no_seats": (
        "班级“{value}”开不了：席位不够（{limit}）。请同时用 --seats 加席位。",
        "The class {value} cannot be opened: it lacks seats ({limit}). Add some by --seats.",
    ),
    "change_nothing": (
        "没有写改什么，也没有写问什么。请加上 --seats P=+1 或 --applicant A 这样的选项。",
        "Neither a change nor a question is given. Add an option such as --seats P=+1 or --applicant A.",
    ),
    # --- what a mechanism cannot honour
    "mechanism_not_available": (
        "录取方式“{value}”目前没有。可用：stable 公平录取、parallel 平行志愿、optimal 系统优化、"
        "max_placement 最大安置。请改 mechanism.name。",
        "The mechanism {value} is not available. There are stable, parallel, optimal and max_placement.",
    ),
    "refused_capacity": (
        "“{limit}”做不到席位容量。请换一种录取方式。",
        "{limit} cannot keep capacities. Choose another mechanism.",
    ),
    "refused_min_size": (
        "“{limit}”目前做不到最低开班人数（{value} 个班有）。请改用 stable 或 parallel，或把最低人数设为 0 试算。",
        "{limit} cannot yet keep minimum class sizes ({value} classes have one). Use stable or parallel,"
        " or try it with minimums of 0.",
    ),
    "refused_soft_reserve": (
        "“{limit}”做不到预留席位。请换一种录取方式，或删去预留。",
        "{limit} cannot keep reserves. Choose another mechanism or remove them.",
    ),
    "refused_hard_reserve": (
        "“{limit}”做不到“不释放”的预留。请换一种录取方式，或改为可释放（0）。",
        "{limit} cannot keep hard reserves. Choose another mechanism or make them soft (0).",
    ),
    "refused_open_first": (
        "“{limit}”做不到先普通后预留（open_first）。请改用 stable 或 parallel，或写 reserves_first。",
        "{limit} cannot fill open seats first. Use stable or parallel, or say reserves_first.",
    ),
    "refused_nested_cap": (
        "“{limit}”做不到总量上限。请换一种录取方式，或删去上限。",
        "{limit} cannot keep caps. Choose another mechanism or remove them.",
    ),
    "refused_crossing_cap": (
        "上限 {value} 互相交叉（有共同的席位，又各有各的席位），“{limit}”做不到。请改成互不相交，或一个包含另一个。",
        "The caps {value} cross (they share a program and neither contains the other), which {limit}"
        " cannot keep. Make them disjoint or nested.",
    ),
    "refused_adjustment": (
        "“{limit}”做不到服从调剂。请换一种录取方式。",
        "{limit} cannot adjust. Choose another mechanism.",
    ),
    "refused_program_score": (
        "“{limit}”每个考核通道只排一条队，成绩表却有按席位填的成绩。请改用 stable，或只按通道填成绩。",
        "{limit} has one queue per channel, but there are scores by program. Use stable, or give scores"
        " by channel only.",
    ),
    "refused_exact_closure": (
        "“{limit}”目前做不到 closure = \"exact\"。请在规则里写 closure = \"sequential\"（逐个停开）。",
        "{limit} cannot yet do closure = \"exact\". Say closure = \"sequential\" in the policy.",
    ),
    "refused_confirmed": (
        "决定表里有已确认的录取（confirmed），“{limit}”从头录取，不会保留它们。请改用 resolve --keep 原结果。",
        "There are confirmed placements, which {limit}, placing from the start, does not keep. Use resolve"
        " --keep with the earlier result.",
    ),
    "refused_must_open": (
        "“{limit}”做不到必须开班（must_open）。请换一种录取方式，或把这一列改为 0。",
        "{limit} cannot open classes by decree (must_open). Choose another mechanism or set it to 0.",
    ),
    "refused_must_fill": (
        "“{limit}”做不到必须录满的预留（must_fill）。请换一种录取方式，或把这一列改为 0。",
        "{limit} cannot fill reserves by decree (must_fill). Choose another mechanism or set it to 0.",
    ),
    # --- files in other formats
    "text_encoding": (
        "{value} 不是 UTF-8 编码。请另存为 UTF-8。",
        "{value} is not UTF-8. Save it as UTF-8.",
    ),
    "glasgow_header": (
        "开头“{value}”不是人数和席位数。请写成一行两个数，或三行：0、人数、席位数。",
        "{value} does not begin with the numbers of residents and hospitals. Give both on one line, or"
        " 0 and both on three lines.",
    ),
    "glasgow_couples": (
        "这里写的是夫妇（couples，{value}）。一轮里每人各自申请，夫妇一起分配的算例读不了；请换没有夫妇的算例。",
        "This states couples ({value}). In a round everybody applies alone, so instances with couples"
        " are not read.",
    ),
    "glasgow_lines": (
        "名单有 {value} 行，按开头的人数和席位数应有 {limit} 行。请补齐、删去或改正开头的数。",
        "There are {value} lists, but the header asks for {limit}. Add or remove lines, or correct the"
        " header.",
    ),
    "glasgow_line": (
        "读不懂“{value}”。请写成“编号 志愿…”或“编号 席位数 名单…”；要加冒号，每个前项后面都加。",
        "{value} cannot be read. Write an id and its list, for a hospital with the capacity between;"
        " colons stand behind each of these or nowhere.",
    ),
    "list_brackets": (
        "“{column}”的名单里括号 {value} 不成对、套了两层或是空的。请改正。",
        "In the list of {column} a bracket {value} is unpaired, nested or empty. Correct it.",
    ),
    "unknown_partner": (
        "名单里的“{value}”在另一侧没有。请核对编号。",
        "{value} in this list is not on the other side. Correct the id.",
    ),
    "partner_twice": (
        "同一名单里“{value}”出现了两次。请只留一次。",
        "{value} stands twice in one list. Keep one.",
    ),
    "tied_choices": (
        "“{value}”并列，与第 {limit} 行的并列有部分重合；一轮里只有整个班级的席位能并列。"
        "请改成完全相同或互不相交，或排出先后。",
        "The tie of {value} shares some programs, not all, with a tie in row {limit}; in a round the"
        " programs of a whole class may tie. Make ties equal or disjoint, or put them in order.",
    ),
    "preflib_header": (
        "缺少“# {value}:”这一行。请补上（须为 PrefLib 现行的文件头）。",
        "The line # {value}: is missing. Add it; the header must be the modern one of PrefLib.",
    ),
    "preflib_number": (
        "“{column}”写的是 {value}，实际是 {limit}。请核对文件是否完整，改正这个数。",
        "{column} says {value}, but there are {limit}. See whether the file is whole, or correct it.",
    ),
    "preflib_type": (
        "数据类型“{value}”不是志愿顺序，读不了。请换成 {limit} 之一。",
        "The data type {value} holds no orders and cannot be read. Use one of {limit}.",
    ),
    "preflib_line": (
        "读不懂“{value}”。请写成“人数: 1,2,{{3,4}}”，人数和志愿都不能空。",
        "{value} cannot be read. Write it like 5: 1,2,{{3,4}}, with neither part empty.",
    ),
    "preflib_tied": (
        "“{value}”有并列，而类型 {limit} 不许并列。请改类型为 toi 或 toc，或排出先后。",
        "{value} has a tie, which the type {limit} does not allow. Use toi or toc, or put it in order.",
    ),
    "preflib_incomplete": (
        "“{value}”没有排全，而类型 {limit} 须排全。请改类型为 soi 或 toi，或补全。",
        "{value} is not complete, which the type {limit} must be. Use soi or toi, or complete it.",
    ),
    "preflib_voters": (
        "共有 {value} 人，最多读 {limit} 人。请缩小算例。",
        "There are {value} people; no more than {limit} are read. Use a smaller instance.",
    ),
    "seats_missing": (
        "席位“{value}”没有写名额。请补一行 program,capacity。",
        "The seats of {value} are not given. Add a row program,capacity.",
    ),
    "seats_of_nobody": (
        "名额文件里的席位“{value}”不在算例里。请核对名称或删去。",
        "{value} in the file of seats is not in the instance. Correct the name or delete the row.",
    ),
    "unwritable_reserves": (
        "{limit} 格式写不出预留席位（有 {value} 项）。请先从这一轮里去掉预留。",
        "The {limit} format has no reserves (there are {value}). Take them out of the round first.",
    ),
    "unwritable_caps": (
        "{limit} 格式写不出总量上限（有 {value} 个）。请先从这一轮里去掉上限。",
        "The {limit} format has no caps (there are {value}). Take them out of the round first.",
    ),
    "unwritable_min_size": (
        "{limit} 格式写不出最低开班人数（{value} 个班有）。请先把最低人数改为 0。",
        "The {limit} format has no minimum class sizes ({value} classes have one). Set them to 0 first.",
    ),
    "unwritable_adjustment": (
        "{limit} 格式写不出服从调剂（{value} 人同意）。请先清空这一列。",
        "The {limit} format has no adjustment ({value} people consent). Empty the column first.",
    ),
    "unwritable_confirmed": (
        "{limit} 格式写不出已确认的录取（{value}）。请先从决定表里移出这些行。",
        "The {limit} format has no confirmed placements ({value}). Take these rows out first.",
    ),
    "unwritable_barred": (
        "有志愿因规则“{value}”不符合条件，{limit} 格式写不出来。请先删去这些志愿。",
        "Choices are barred by rules ({value}) that the {limit} format has not. Delete them first.",
    ),
    "unwritable_id": (
        "代码“{value}”里有空格、冒号或圆括号，Glasgow 格式写不出来。请先改代码。",
        "The id {value} has a blank, a colon or a round bracket, which Glasgow cannot hold. Rename it.",
    ),
    "unwritable_scores": (
        "{limit} 格式没有排位，而 {value} 个席位按成绩排先后。请改用 Glasgow 格式，或去掉成绩表。",
        "The {limit} format has no priorities, but {value} programs rank people by score. Use Glasgow,"
        " or leave out the scores.",
    ),
    "unwritable_empty": (
        "“{value}”没有填志愿，{limit} 格式写不出空的名单。请先去掉这一行。",
        "{value} lists nothing, which the {limit} format cannot say. Take the row out first.",
    ),
    "unwritable_type": (
        "按志愿的内容，PrefLib 文件应是 {limit}，不是 {value}。请改 OUT 的后缀。",
        "By its lists the PrefLib file must be {limit}, not {value}. Change the suffix of OUT.",
    ),
}  # fmt: skip
"""Chinese and English by issue code."""
