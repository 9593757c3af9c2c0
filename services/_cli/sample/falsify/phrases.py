"""What the town's officers write beside the items of a checklist: standard phrases of the office, and remarks in their own words."""

from __future__ import annotations

from random import Random

STANDARD = (
    "现场检查未发现异常，符合要求。",
    "药品陈列整齐，分类标识清楚，符合要求。",
    "温湿度记录完整，数据连续，符合要求。",
    "从业人员健康证明齐全并在有效期内。",
    "购进验收记录齐全，票账货相符。",
    "处方药销售登记完整，未见违规销售。",
)
_COLOURS = "灰白 浅蓝 墨绿 枣红 米黄 深棕 银色 乳白 橘红 淡紫 铁锈色 原木色 磨砂 半透明 掉漆的 新刷的".split()
_THINGS = "立柜 矮柜 货架 抽屉 冷藏柜 斗柜 促销台 玻璃柜 周转箱 纸箱 塑料筐 铁架 梯子 收银台 展示盒 挂篮 推车 木箱".split()
_PLACES = "进门左手 靠窗一侧 楼梯拐角 后院门边 库房北墙 收银台背后 空调出风口下 诊疗台旁 卷帘门内侧 配电箱下 二楼阁楼 橱窗里面".split()
_PRODUCTS = (
    "感冒颗粒 维生素片 止咳糖浆 创可贴 体温计 益气丸 滴眼液 驱风油 血压计 阿胶块 退热贴 板蓝根 藿香正气水 六味地黄丸 碘伏 酒精棉".split()
)
_PARTS = "外包装 说明书 批号标签 价签 封口膜 追溯码 合格证 随货单 中包装 瓶盖 铝塑板 防伪贴".split()
_STATES = (
    "受潮起皱 被胶带盖住 字迹模糊 撕去一角 贴反了 沾了灰尘 与账上对不上 缺了一联 放倒了 被阳光晒褪色 混进别的批次 用圆珠笔改过".split()
)
_WHO = "店长 药师 新来的店员 值班店员 老板娘 质量负责人 采购员 养护员 收银员 实习生".split()
_DONE = "当场挪开 重新摆放 换了新标签 补写登记 打电话问供货商 清点封存 擦净归位 另用纸箱单放 找出原始单据 答应约定日再看".split()
_WHY = "说是搬货时碰的 说前一天刚到货 说是上任店长留下的 说没有注意到 解释为漏水所致 称供货商发错了 说忘了登记".split()


def own_words(rng: Random) -> str:
    """A remark that an officer makes at one place, of what was seen there."""
    return "".join(_seen(rng) for _ in range(2))


def _seen(rng: Random) -> str:
    pick = rng.choice
    seen = f"{pick(_PLACES)}{pick(_COLOURS)}{pick(_THINGS)}上{rng.randint(2, 29)}盒样例{pick(_PRODUCTS)}的{pick(_PARTS)}{pick(_STATES)}"
    then = f"{pick(_WHO)}{pick(_WHY)}并把{pick(_COLOURS)}{pick(_THINGS)}里的样例{pick(_PRODUCTS)}{pick(_DONE)}"
    return f"{seen}，{then}。"


def standard(rng: Random) -> str:
    """A phrase that everybody of the office uses."""
    return rng.choice(STANDARD)
