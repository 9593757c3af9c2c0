"""Made-up remarks of inspections: what people write, what all of them write, and what somebody copies. Nothing is taken from a detector."""

from __future__ import annotations

from random import Random

_PLACES = "柜台 仓库 阴凉区 冷藏柜 收银处 二楼货架 门口展示架 验收区 待处理区 中药饮片斗 处方药区 医疗器械柜 化妆品架 办公室".split()
_THINGS = "温湿度记录 处方登记 养护记录 购进票据 效期标识 执业药师在岗牌 灭蚊灯 避光帘 拆零工具 退货台账 冷链交接单 培训档案".split()
_FAULTS = "缺少三天 字迹不清 未按规定填写 与实物不符 放置混乱 有涂改 过期未清理 没有签名 损坏未报修 未上锁 登记不全 只记到上月".split()
_REASONS = (
    "店员称当天人手不足 负责人解释刚换班次 据称系统升级 店长说已联系供货商 当事人表示不知情 值班人员称钥匙在他人处 "
    "说是新来的员工所为 称设备送修"
).split()
_ENDS = "现场拍照取证 已口头告知 要求当场整理 留存复印件 由陪同人员签字 约定下周复核 请其书面说明 抽取两批核对".split()
_STANDARD = ("检查时企业正常营业，许可证照悬挂于醒目位置。", "现场未发现其他违法违规行为。", "以上情况经企业负责人确认无误。")


def remark(rng: Random) -> str:
    """What somebody writes who looked: some things at some places, with what was said about it."""
    return "。".join(_one(rng) for _ in range(rng.randint(2, 3))) + "。"


def _one(rng: Random) -> str:
    where = f"{rng.choice(_PLACES)}第{rng.randint(1, 9)}排{rng.choice(_THINGS)}"
    return f"{where}{rng.choice(_FAULTS)}，{rng.choice(_REASONS)}，{rng.choice(_ENDS)}"


def with_standard_phrases(text: str, rng: Random) -> str:
    """The text among phrases that everybody uses."""
    return rng.choice(_STANDARD) + text + "".join(rng.sample(_STANDARD, 2))


def copied(text: str, rng: Random) -> str:
    """The same text again: a number changed, now and then a word."""
    changed = "".join(str(rng.randint(1, 9)) if letter.isdigit() else letter for letter in text)
    if rng.random() < 0.5:
        changed = changed.replace(rng.choice(_ENDS), rng.choice(_ENDS), 1)
    return changed
